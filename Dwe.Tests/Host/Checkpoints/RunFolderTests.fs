module Dwe.Tests.Host.Checkpoints.RunFolderTests

open System.IO
open System.Text.Json.Nodes
open Dwe.Host.Checkpoints
open Dwe.Tests.Host.Training
open Expecto

/// The features that a run names, after its manifest was made to say so.
let private featuresOf run (said: string) =
    let path = Path.Combine(run, "manifest.json")

    match JsonNode.Parse(File.ReadAllText path) with
    | null -> failtest "no manifest"
    | manifest ->
        manifest["features"] <- JsonValue.Create said
        File.WriteAllText(path, manifest.ToJsonString())

    let struct (_, manifest) = RunFolder(run).Open()
    manifest.Features

[<Tests>]
let tests =
    testList
        "RunFolder"
        [ testCase "what a run names by a relative path is found from above the run, from any working folder"
          <| fun () ->
              SampleRun.withCopy (fun run ->
                  let above = string (Path.GetDirectoryName run)
                  let store = Path.Combine(above, "mine", "a.store")
                  Expect.equal (featuresOf run "mine/a.store") "mine/a.store" "nowhere: as it was given"
                  Directory.CreateDirectory store |> ignore
                  Expect.equal (featuresOf run "mine/a.store") store "beside the run"
                  Expect.equal (featuresOf run store) store "a whole path stays"
                  Expect.equal (featuresOf run "") "" "imported weights name none") ]
