module Dwe.Tests.Host.Storage.AtomicTests

open System
open System.IO
open Dwe.Host.Storage
open Dwe.Tests.Prelude
open Expecto

/// A lock file as a process that was killed leaves it: there, and locked by nobody.
let private deadName folder name = Path.Combine(folder, $".{name}.{Guid.NewGuid():N}.partial")

let private names folder =
    Directory.GetFileSystemEntries folder |> Array.map Path.GetFileName |> Array.sort |> List.ofArray

[<Tests>]
let tests =
    testList
        "atomic files and folders"
        [ testCase "a file is written whole, with the folders above it, and nothing stays beside it"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "a", "b.json")
                  AtomicFile.WriteText(path, "first")
                  AtomicFile.WriteText(path, "é")
                  Expect.equal (File.ReadAllBytes path) [| 0xC3uy; 0xA9uy |] "UTF-8 without a mark"
                  Expect.equal (names (Path.Combine(folder, "a"))) [ "b.json" ] "the folder")

          testCase "a writer that fails leaves the old file and no rubbish"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "b.json")
                  AtomicFile.WriteText(path, "old")

                  let failing (stream: Stream) =
                      stream.WriteByte 1uy
                      invalidOp "the writer broke"

                  Expect.throwsT<InvalidOperationException> (fun () -> AtomicFile.Write(path, failing)) "passed on"
                  Expect.equal (File.ReadAllText path) "old" "the old file"
                  Expect.equal (names folder) [ "b.json" ] "the folder")

          testCase "leftovers of dead writers go, those of living writers and of other names stay"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let dead, living, other =
                      deadName folder "b.json", deadName folder "b.json", deadName folder "c.json"

                  File.WriteAllText(dead, "")
                  File.WriteAllText(other, "")
                  use _ = new FileStream(living, FileMode.CreateNew, FileAccess.Write, FileShare.None)
                  AtomicFile.WriteText(Path.Combine(folder, "b.json"), "new")
                  Expect.isFalse (File.Exists dead) "the dead writer's file"
                  Expect.isTrue (File.Exists living) "the living writer's file"
                  Expect.isTrue (File.Exists other) "another target's file")

          testCase "a folder replaces the old one whole, and only when it is committed"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let target = Path.Combine(folder, "checkpoint")

                  let write (file: string) commit =
                      use replacement = new AtomicFolder(target)
                      Directory.CreateDirectory(Path.Combine(replacement.Path, "inner")) |> ignore
                      File.WriteAllText(Path.Combine(replacement.Path, "inner", file), file)

                      if commit then
                          replacement.Commit()

                  write "first" true
                  write "second" false
                  Expect.equal (names (Path.Combine(target, "inner"))) [ "first" ] "not committed"
                  write "third" true
                  Expect.equal (names (Path.Combine(target, "inner"))) [ "third" ] "committed"
                  Expect.equal (names folder) [ "checkpoint" ] "nothing beside it")

          testCase "an unfinished folder of a dead writer goes, a living writer's stays"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let target = Path.Combine(folder, "checkpoint")
                  let dead = deadName folder "checkpoint"
                  Directory.CreateDirectory dead |> ignore
                  File.WriteAllText(Path.Combine(dead, "weights"), "half")
                  File.WriteAllText(dead + ".lock", "")
                  use living = new AtomicFolder(target)
                  Expect.isFalse (Directory.Exists dead || File.Exists(dead + ".lock")) "the dead writer's folder"
                  use second = new AtomicFolder(target)
                  Expect.isTrue (Directory.Exists living.Path) "the living writer's folder"
                  Expect.notEqual second.Path living.Path "two writers") ]
