module Dwe.Tests.Host.Evaluation.MentionSliceTests

open Expecto
open Dwe.Host.Evaluation
open Dwe.Host.Training
open Dwe.Tests.Host.Training

[<Tests>]
let tests =
    testList
        "slices"
        [ testCase "the sample's dev split falls into the counts that its README states"
          <| fun () ->
              use data = RunData.OpenWithoutFeatures SampleRun.sample
              let rows = dict [ for slice in MentionSlice.Of(data, "dev") -> slice.Name, slice.Rows.Length ]
              Expect.equal rows["unseen entity"] 38 "25.0 % of 152"
              Expect.equal rows["seen entity"] 114 "the others"
              Expect.equal rows["without image"] 152 "no pictures"
              Expect.isFalse (rows.ContainsKey "with image") "a slice without mentions is left out"
              Expect.equal (rows["ambiguous mention"] + rows["other mention"]) 152 "either or"

          testCase "a mention is ambiguous when more than one entity bears it as name"
          <| fun () ->
              use data = RunData.OpenWithoutFeatures SampleRun.sample
              let mentions = data.Mentions "dev"
              let slices = MentionSlice.Of(data, "dev")
              let ambiguous = slices |> Seq.find (fun slice -> slice.Name = "ambiguous mention")

              let bearers (text: string) =
                  data.Dataset.Entities
                  |> Seq.filter (fun entity ->
                      Seq.append [ entity.Name ] entity.Aliases
                      |> Seq.exists (fun name -> name.ToLowerInvariant() = text.ToLowerInvariant()))
                  |> Seq.length

              let expected =
                  [| for row in 0 .. mentions.Count - 1 do
                         if bearers mentions[row].Text > 1 then
                             row |]

              Expect.isNonEmpty expected "there are some"
              Expect.equal ambiguous.Rows expected "rows" ]
