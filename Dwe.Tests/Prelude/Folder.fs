/// Folders that live as long as one test.
module Dwe.Tests.Prelude.Folder

open System
open System.IO

/// Runs a test with a fresh folder, removed afterwards.
let temporary (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("dwe-").FullName

    try
        test folder
    finally
        Directory.Delete(folder, true)

/// Every file below a folder as (name relative to it, its bytes in hexadecimal SHA-256), sorted: equal means byte for byte.
let contents (folder: string) =
    Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
    |> Array.map (fun file ->
        Path.GetRelativePath(folder, file),
        File.ReadAllBytes file |> Security.Cryptography.SHA256.HashData |> Convert.ToHexString)
    |> Array.sort
    |> List.ofArray
