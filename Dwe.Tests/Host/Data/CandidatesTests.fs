module Dwe.Tests.Host.Data.CandidatesTests

open System.IO
open Dwe.Host.Data
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

let private mention key text =
    { Key = key
      Text = text
      Sentence = ""
      Images = [||]
      Type = ""
      Gold = Gold.Unlabelled
      Box = null }

let private mentions = [| mention "1-0" "Ada"; mention "1-1" "Ada"; mention "2" "Bush" |]

let private withFile (text: string) test =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "candidates.json")
        File.WriteAllText(path, text)
        test path)

let private idsOf (candidates: Candidates) = [ for list in candidates.Ids -> list.Key, List.ofArray list.Value ]

[<Tests>]
let tests =
    testList
        "candidate files"
        [ testCase "keys that are mention texts serve every mention of that text"
          <| fun () ->
              withFile """{"Ada": ["Q7", "Q1"], "Nobody": ["Q2"]}""" (fun path ->
                  let candidates = CandidateFile.Read(path, mentions)
                  Expect.equal candidates.KeyedBy CandidateKey.MentionText "keyed by"
                  Expect.equal (idsOf candidates) [ "1-0", [ "Q7"; "Q1" ]; "1-1", [ "Q7"; "Q1" ] ] "lists"
                  Expect.equal candidates.Without [| "2" |] "mentions without a list"
                  Expect.equal candidates.Source "candidates.json" "source")

          testCase "keys that are record keys serve one mention each; an empty list is a list"
          <| fun () ->
              withFile """{"1-1": ["Q1"], "2": []}""" (fun path ->
                  let candidates = CandidateFile.Read(path, mentions)
                  Expect.equal candidates.KeyedBy CandidateKey.RecordKey "keyed by"
                  Expect.equal (idsOf candidates) [ "1-1", [ "Q1" ]; "2", [] ] "lists"
                  Expect.equal candidates.Without [| "1-0" |] "mentions without a list")

          testCase "keys that are neither are shown beside what was expected"
          <| fun () ->
              withFile """{"x": [], "y": []}""" (fun path ->
                  (fun () -> CandidateFile.Read(path, mentions) |> ignore)
                  |> Refusal.isSpelled
                      $"{path}: keys: found 'x', 'y', of which no mention knows any, expected mention texts such as 'Ada' or record keys such as '1-0'.")

          testCase "a list that is none is refused with line and key"
          <| fun () ->
              withFile "{\"Ada\":\n \"Q7\"}" (fun path ->
                  (fun () -> CandidateFile.Read(path, mentions) |> ignore)
                  |> Refusal.isSpelled $"{path}: line 2, key 'Ada': found a text, expected a list of texts.")

          testCase "a candidate file that is not there is refused"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "none.json")

                  (fun () -> CandidateFile.Read(path, mentions) |> ignore)
                  |> Refusal.isSpelled
                      $"{path}: not found; expected candidates: an object of id lists. Name a file of candidates, or leave the option out.") ]
