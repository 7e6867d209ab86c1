module Dwe.Tests.Host.Reports.MentionPageTests

open System
open System.IO
open System.Text
open System.Text.RegularExpressions
open Spectre.Console
open Dwe.Host.Commands
open Dwe.Host.Features.Images
open Dwe.Host.Features.Vision
open Dwe.Host.Features.Weights
open Dwe.Host.Reports
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Domain
open Dwe.Tests.Host.Native
open Dwe.Tests.Prelude
open Expecto

/// A picture of 40 x 20 dots in which a person of 10 x 12 stands, whose face is 4 x 4, beside a kite.
let private seen =
    let inside = Array.init (10 * 12) (fun at -> at % 10 < 5)

    let traits =
        FaceTraits(0.9f, 33.4f, [| 0.1f; 0.2f; 0.5f; 0.1f; 0.1f |], [| 0f; 0f; 0f; 1f; 0f; 0f; 0f |])

    let face = ReadFace(Region(6f, 3f, 10f, 7f), 0.8f, traits, null)
    let person = FoundPerson(Region(4f, 2f, 14f, 14f), 0.75f, PersonMask(4, 2, 10, 12, inside), face)
    ImageAnalysis(40, 20, [| person |], [||], [| FoundObject(Region(20f, 1f, 30f, 9f), 0.5f, "kite") |])

let private hostile = "<script>alert(\"1\")</script> & 'two'"

/// What a browser shows of it.
let private escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#x27;two&#x27;"

let private grey width height = DecodedImage(width, height, 3, Array.create (width * height * 3) 128uy)

let private writePicture (path: string) =
    let svg =
        "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><rect width='40' height='20' fill='#369'/></svg>"

    Directory.CreateDirectory(string (Path.GetDirectoryName path)) |> ignore
    File.WriteAllText(path, svg)

/// A PNG of one pixel, whole.
let private onePixel =
    Convert.FromBase64String
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/// A data set of four mentions in a fresh folder.
let private withData (test: string -> unit) =
    Folder.temporary (fun folder ->
        writePicture (Path.Combine(folder, "images", "good.svg"))
        File.WriteAllBytes(Path.Combine(folder, "images", "torn.png"), Array.truncate 45 onePixel)

        let text (value: string) = Json.JsonSerializer.Serialize value
        let write (name: string) (lines: string list) = File.WriteAllLines(Path.Combine(folder, name), lines)

        write
            "train.jsonl"
            [ $"""{{"key":"a-1","mention":"Korvale","sentence":{text ("Korvale, " + hostile)},"image":"images/good.svg","entity":"E2"}}"""
              """{"key":"a-2","mention":"Korvale","sentence":"At Korvale.","images":["images/torn.png","images/gone.png"],"entity":"NIL"}"""
              """{"key":"a-3","mention":"korvale","sentence":"No picture of Korvale.","entity":"E9"}""" ]

        write "dev.jsonl" [ """{"key":"b-1","mention":"Istrane","sentence":"Somewhere else.","entity":"E3"}""" ]

        write
            "entities.jsonl"
            [ """{"id":"E1","name":"Korvale","description":"A kite."}"""
              $"""{{"id":"E2","name":{text hostile},"description":{text hostile},"image":"images/good.svg"}}"""
              """{"id":"E3","name":"Istrane"}""" ]

        write "search_top100.json" [ """{"Korvale":["E1","E2","E7"],"korvale":["E1"]}""" ]
        test folder)

let private optionsOf (words: string list) =
    match CommandLine.Parse(Array.ofList ("show" :: words)) with
    | Ok(Command.Show options) -> options
    | other -> failtest $"not understood: {other}"

let private quiet () = AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput TextWriter.Null))

let private showWith (analyze: DecodedImage -> ImageAnalysis) folder words =
    let out = Path.Combine(folder, "page.html")
    let options = optionsOf ([ "--data"; folder; "--out"; out ] @ words)
    let code = ShowCommand.Run(options, quiet (), Func<_, _>(analyze))
    Expect.equal code 0 "the exit code"
    File.ReadAllText out

/// The page of a mention, with what `seen` says of every picture.
let private page folder words = showWith (fun _ -> seen) folder words

let private reportOf sentence =
    let mention =
        { Key = "k"
          Text = "Korvale"
          Sentence = sentence
          Images = [||]
          Type = ""
          Gold = Unlabelled
          Box = null }

    MentionReport(
        Source = "JSONL",
        Split = "train",
        Mention = mention,
        Images = [||],
        CandidateSource = null,
        Candidates = [||],
        Gold = null,
        Traits = TraitChoice.All
    )

let private count (pattern: string) (text: string) = Regex.Matches(text, pattern).Count

[<Tests>]
let tests =
    testList
        "the page of a mention"
        [ testCase "shows what files say as text, never as markup"
          <| fun () ->
              withData (fun folder ->
                  let page = page folder [ "--mention"; "a-1" ]
                  Expect.equal (count "(?i)<script" page) 0 "no script"

                  Expect.stringContains
                      page
                      $"<blockquote dir=\"auto\"><mark>Korvale</mark>, {escaped}</blockquote>"
                      "the sentence"

                  Expect.stringContains page $"<bdi>{escaped}</bdi>" "the entity's name"
                  Expect.stringContains page $"alt=\"Picture of {escaped}\"" "in an attribute"
                  Expect.stringContains page $"</span> {escaped}</p>" "the description")

          testProperty "has no markup but its own, whatever a sentence says"
          <| fun (before: char list) (after: char list) ->
              let before, after = String(Array.ofList before), String(Array.ofList after)

              let tags sentence =
                  Regex.Matches(MentionPage.Of(reportOf sentence), "<[^>]*>") |> Seq.map _.Value |> List.ofSeq

              let sentence = $"{before}<b onclick='x'>Korvale{after}"
              Expect.equal (tags sentence) (tags (sentence.Replace('<', '(').Replace('>', ')'))) "the same tags"

          testCase "marks the gold, once by itself and once among the candidates, and says its place"
          <| fun () ->
              withData (fun folder ->
                  let page = page folder [ "--mention"; "a-1" ]
                  Expect.equal (count "class=\"entity gold\"" page) 2 "gold cards"
                  Expect.equal (count "★ gold" page) 2 "in words too"
                  Expect.equal (count "class=\"entity\"" page) 2 "the others"

                  Expect.stringContains
                      page
                      "3 from search_top100.json, in their order. The gold is number 2."
                      "its place"

                  Expect.stringContains
                      page
                      "<code>E7</code></span>\n<p class=\"soft\">Not in the knowledge base.</p>"
                      "E7")

          testCase "draws boxes, faces and masks in the picture's own pixels, and names them beside it"
          <| fun () ->
              withData (fun folder ->
                  let page = page folder [ "--mention"; "a-1" ]
                  Expect.stringContains page "<svg viewBox=\"0 0 40 20\"" "the picture's pixels"
                  let box kind rectangle = $"<rect class=\"{kind}\" {rectangle} fill=\"none\""
                  Expect.stringContains page (box "person" "x=\"4\" y=\"2\" width=\"10\" height=\"12\"") "the person"
                  Expect.stringContains page (box "face" "x=\"6\" y=\"3\" width=\"4\" height=\"4\"") "the face"
                  Expect.stringContains page (box "thing" "x=\"20\" y=\"1\" width=\"10\" height=\"8\"") "the kite"
                  let rows = String.Concat [ for y in 2..13 -> $"M4 {y}h5v1h-5z" ]
                  Expect.stringContains page $"<path class=\"mask\" d=\"{rows}\"" "the left half of the person's box"
                  Expect.stringContains page "kite, score 0.50</li>" "the legend"
                  Expect.stringContains page "Recognised: 1 × person, 1 × kite.\">" "the text in the picture's place")

          testCase "calls gender, race, age and emotion model guesses, and leaves out those that are not wanted"
          <| fun () ->
              withData (fun folder ->
                  let guess words =
                      Regex.Match(page folder ([ "--mention"; "a-1" ] @ words), "<span class=\"guess\">.*").Value

                  Expect.equal
                      (guess [])
                      "<span class=\"guess\">model guess</span> gender: Man, race: asian, age: 33, emotion: happy</li>"
                      "all"

                  Expect.equal
                      (guess [ "--without"; "gender,race,emotion" ])
                      "<span class=\"guess\">model guess</span> age: 33</li>"
                      "age alone")

          testCase "says of an image that could not be read which one it is and why, and draws nothing for it"
          <| fun () ->
              withData (fun folder ->
                  let unasked (_: DecodedImage) : ImageAnalysis = failtest "an unreadable image was analysed"
                  let page = showWith unasked folder [ "--mention"; "a-2" ]

                  Expect.stringContains
                      page
                      "Image 1, <code>images/torn.png</code>, could not be read: truncated or damaged."
                      "torn"

                  Expect.stringContains
                      page
                      "Image 2, <code>images/gone.png</code>, could not be read: missing."
                      "gone"

                  Expect.equal (count "<svg" page) 0 "no overlay"
                  Expect.stringContains page "NIL: the knowledge base has no entity for this mention." "NIL")

          testCase "says what else is missing: image, gold, candidates, the mention in its sentence"
          <| fun () ->
              withData (fun folder ->
                  let third = page folder [ "--mention"; "a-3" ]
                  Expect.stringContains third "<p class=\"absent\">The mention has no image.</p>" "no image"
                  Expect.stringContains third "No picture of <mark>Korvale</mark>." "another case of letters"
                  Expect.stringContains third "The gold <code>E9</code> is not in the knowledge base." "no gold"
                  let dev = Path.Combine(folder, "lists.json")
                  File.WriteAllText(dev, """{"Istrane":[]}""")
                  let fourth = page folder [ "--mention"; "b-1"; "--candidates"; dev ]
                  Expect.stringContains fourth "lists.json has none for this mention." "an empty list"
                  Expect.stringContains fourth "The mention's text does not occur in the sentence." "nothing to mark"
                  Expect.stringContains fourth "No description." "of the gold")

          testCase "stands alone: no address but data, no script, for phones and for the dark"
          <| fun () ->
              withData (fun folder ->
                  let page = page folder [ "--mention"; "a-1" ]
                  let addresses = Regex.Matches(page, "(?:src|href)=\"([^\"]*)\"") |> Seq.map _.Groups[1].Value
                  Expect.isNonEmpty addresses "a picture"

                  Expect.all
                      addresses
                      (fun address -> address.StartsWith("data:image/jpeg;base64,", StringComparison.Ordinal))
                      "data"

                  Expect.equal (count "(?i)https?:|url\\(|@import|<link|<iframe" page) 0 "nothing from elsewhere"
                  Expect.stringContains page "default-src 'none'; img-src data:" "the policy"
                  Expect.stringContains page "name=\"viewport\" content=\"width=device-width" "phones"
                  Expect.stringContains page "@media (prefers-color-scheme: dark)" "the dark"

                  Expect.equal
                      (count "<img " page)
                      (count "<img [^>]*alt=\"[^\"]+\"" page)
                      "every picture has words in its place")

          testCase "carries pictures of a bounded size, encoded anew"
          <| fun () ->
              let bytes (address: Html) =
                  Convert.FromBase64String(address.Markup.Substring(address.Markup.IndexOf(',') + 1))

              let size picture =
                  match ImageDecoder.Decode(bytes (EmbeddedImage.Address(picture, 100))).Image with
                  | null -> failtest "not a picture"
                  | decoded -> decoded.Width, decoded.Height

              Expect.equal (size (grey 400 200)) (100, 50) "reduced"
              Expect.equal (size (grey 40 20)) (40, 20) "never enlarged"

          testCase "is the same page every time"
          <| fun () ->
              withData (fun folder ->
                  Expect.equal (page folder [ "--mention"; "a-1" ]) (page folder [ "--mention"; "a-1" ]) "the bytes")

          testCase "is not written for an unknown mention: the nearest key is named, and the exit code is 2"
          <| fun () ->
              withData (fun folder ->
                  let out = Path.Combine(folder, "none.html")
                  let run = DweProcess.run [ "show"; "--data"; folder; "--mention"; "a-11"; "--out"; out ] []

                  Expect.equal
                      run.Errors
                      "dwe: command line: --mention is 'a-11', expected the key of a mention of train, dev; the nearest is a-1 of train.\n"
                      "the message"

                  Expect.equal run.ExitCode 2 "the exit code"
                  Expect.isFalse (File.Exists out) "nothing is written")

          testCase "is refused for a key of another split, an unknown split and a key of two splits"
          <| fun () ->
              withData (fun folder ->
                  let refused words expected = Refusal.isSpelled expected (fun () -> page folder words |> ignore)

                  refused
                      [ "--mention"; "b-1"; "--split"; "train" ]
                      "command line: --mention is 'b-1', expected the key of a mention of train; the nearest is a-1 of train."

                  refused
                      [ "--mention"; "b-1"; "--split"; "test" ]
                      "--split: unknown key 'test'; known keys: train, dev."

                  File.WriteAllText(
                      Path.Combine(folder, "test.jsonl"),
                      """{"key":"b-1","mention":"Istrane","sentence":"Istrane again.","entity":"E3"}"""
                  )

                  refused [ "--mention"; "b-1" ] "b-1 is in dev and test. Name one of them with --split.")

          testCase "finds the four photos' thirteen persons"
          <| fun () ->
              let photos = Fixtures.required "fixtures/visual"
              SharedWeights.fetched WeightCatalogue.HumanModels |> ignore
              SharedWeights.fetched WeightCatalogue.FaceApi |> ignore
              use analyzer = ImageAnalyzer.Open(WeightCache.OfThisMachine())

              Folder.temporary (fun folder ->
                  let names = [ "509.jpeg"; "41487.jpg"; "3142.jpg"; "model_47215.jpg" ]

                  let images = String.Join(",", [ for name in names -> $"\"{name}\"" ])

                  File.WriteAllText(
                      Path.Combine(folder, "train.jsonl"),
                      $"""{{"key":"m","mention":"Korvale","sentence":"At Korvale.","images":[{images}],"entity":"E"}}"""
                  )

                  File.WriteAllText(Path.Combine(folder, "entities.jsonl"), """{"id":"E","name":"Korvale"}""")

                  let page = showWith analyzer.Analyze folder [ "--mention"; "m"; "--images"; photos ]

                  Expect.equal (count "<figure>" page) 4 "figures"
                  Expect.equal (count "class=\"mask\"" page) 13 "masks"
                  Expect.equal (count "<span class=\"guess\">model guess</span>" page) 13 "faces") ]
