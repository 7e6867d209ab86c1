/// Numbers computed by the published code, kept outside the project. Looked for in the folder that `DWE_FIXTURES` names,
/// else in a folder `shared` beside the checkout. Tests that need them are skipped, visibly, where they are absent.
module Dwe.Tests.Prelude.Fixtures

open System
open System.IO
open Expecto

/// The checkout: the nearest folder above the test binary that holds Dwe.sln.
let repository =
    let rec find (folder: DirectoryInfo | null) =
        match folder with
        | null -> invalidOp "no Dwe.sln above the test binary"
        | folder when File.Exists(Path.Combine(folder.FullName, "Dwe.sln")) -> folder.FullName
        | folder -> find folder.Parent

    find (DirectoryInfo AppContext.BaseDirectory)

let private root =
    match Environment.GetEnvironmentVariable "DWE_FIXTURES" with
    | null
    | "" -> Path.Combine(repository, "..", "shared")
    | folder -> folder

/// The path of a fixture, e.g. `path "fixtures/reference/losses/losses.safetensors"`.
let path (relative: string) = Path.Combine(root, relative)

/// Skips the running test, visibly and counted, when the fixture file or folder is absent.
let required (relative: string) =
    let full = path relative

    if not (File.Exists full || Directory.Exists full) then
        skiptest $"fixture {relative} is absent"

    full
