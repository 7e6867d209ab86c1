module Dwe.Tests.Host.Reports.ChartTests

open System.Globalization
open System.Xml.Linq
open Dwe.Host.Evaluation
open Dwe.Host.Reports
open Expecto
open FsCheck.FSharp

let private parsed (html: Html) = XElement.Parse("<x>" + html.Markup + "</x>")

let private elements (name: string) (root: XElement) = List.ofSeq (root.Descendants(XName.Get name))

let private number (name: string) (element: XElement) =
    match element.Attribute(XName.Get name) with
    | null -> failtest $"no {name} in {element}"
    | attribute -> System.Double.Parse(attribute.Value, CultureInfo.InvariantCulture)

let private bounds =
    Gen.choose (-10000, 10000)
    |> Gen.two
    |> Gen.map (fun (a, b) -> float (min a b) / 100.0, float (max a b) / 100.0)

[<Tests>]
let tests =
    testList
        "Charts"
        [ testPropertyWithConfig
              { FsCheckConfig.defaultConfig with maxTest = 300 }
              "ticks rise evenly, reach over both bounds, and are few"
              (Prop.forAll (Arb.fromGen bounds) (fun (low, high) ->
                  let ticks = Chart.Ticks(low, high)
                  Expect.isLessThanOrEqual ticks[0] (low + 1e-6) "the lower"
                  Expect.isGreaterThanOrEqual ticks[ticks.Length - 1] (high - 1e-6) "the upper"
                  Expect.isTrue (ticks.Length >= 2 && ticks.Length <= 8) $"{ticks.Length} of them"
                  let steps = ticks |> Array.pairwise |> Array.map (fun (a, b) -> b - a)
                  Expect.floatClose Accuracy.medium (Array.max steps) (Array.min steps) "even"))

          testCase "a line goes through its points, higher values standing higher, and says so in words"
          <| fun () ->
              let series =
                  [| LineSeries("hits@1", [| struct (1.0, 50.0); struct (2.0, 60.0); struct (3.0, 55.0) |]) |]

              let chart = LineChart.Of("id", "a <title>", "epoch", "percent", series) |> parsed

              let heights =
                  chart
                  |> elements "circle"
                  |> List.filter (fun mark -> number "cx" mark > 40.0)
                  |> List.map (number "cy")

              Expect.hasLength heights 3 "a mark a point"
              Expect.isTrue (heights[1] < heights[2] && heights[2] < heights[0]) "60 above 55 above 50"
              Expect.equal (chart |> elements "title" |> List.map _.Value) [ "a <title>" ] "escaped"

              Expect.equal
                  (chart |> elements "desc" |> List.map _.Value)
                  [ "hits@1: from 50 to 55, at most 60." ]
                  "read out"

          testCase "no points, no chart"
          <| fun () ->
              Expect.equal (LineChart.Of("id", "t", "x", "y", [| LineSeries("none", [||]) |]).Markup) "" "nothing"

          testCase "bars of a calibration plot are as high as what was right"
          <| fun () ->
              let bin count stated right = StatedBin(Count = count, Stated = stated, Right = right)

              let chart =
                  CalibrationChart.Of(
                      "id",
                      "t",
                      CalibrationResult(
                          Temperature = 1.0,
                          ChosenOn = "dev",
                          Mentions = 30,
                          Error = 0.1,
                          Brier = 0.2,
                          Bins = [| bin 10 0.25 0.5; bin 20 1.0 1.0 |]
                      )
                  )
                  |> parsed

              let bars =
                  chart
                  |> elements "rect"
                  |> List.filter (fun bar ->
                      match bar.Attribute(XName.Get "class") with
                      | null -> false
                      | found -> found.Value = "bar")

              Expect.hasLength bars 2 "a bar a bin"

              Expect.floatClose
                  Accuracy.low
                  (number "height" bars[1])
                  (2.0 * number "height" bars[0])
                  "100 and 50 percent"

              Expect.isGreaterThan (number "x" bars[1]) (number "x" bars[0]) "surer stands to the right" ]
