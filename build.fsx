// The build. `dotnet fsi build.fsx -t TARGET [-- ARGUMENTS]`; `-t List` names the targets.
// CI runs the very same line: `dotnet fsi build.fsx -t Check`.
#r "nuget: System.Reactive, 5.0.0" // what FAKE 5's graph of packages resolves to; named so that restoring warns of nothing
#r "nuget: Fake.Core.Target, 5.20.3" // target graph; the newest that restores under `dotnet fsi` from every feed

open System
open System.IO
open System.Text.RegularExpressions
open Fake.Core
open Fake.Core.TargetOperators

fsi.CommandLineArgs
|> Array.skip 1
|> List.ofArray
|> Context.FakeExecutionContext.Create false "build.fsx"
|> Context.RuntimeContext.Fake
|> Context.setExecutionContext

let root = __SOURCE_DIRECTORY__
let solution = "Dwe.sln"

let private output project = Path.Combine(root, project, "bin", "Release", "net10.0")

let dweProgram = Path.Combine(output "Dwe.Host", "dwe.dll")
let testProgram = Path.Combine(output "Dwe.Tests", "Dwe.Tests.dll")

/// Runs a program in the checkout and fails the target on a non-zero exit code.
let run program arguments =
    CreateProcess.fromRawCommand program arguments
    |> CreateProcess.withWorkingDirectory root
    |> CreateProcess.ensureExitCodeWithMessage $"{program} failed"
    |> CreateProcess.disableTraceCommand
    |> Proc.run
    |> ignore

let dotnet arguments = run "dotnet" arguments

/// The words after the target's name: passed on to the program that the target starts.
let passedOn (target: TargetParameter) = target.Context.Arguments |> List.filter (fun word -> word <> "--")

// --- packages ---------------------------------------------------------------------------------------------------
// Paket reads packages from the user's package folder, so no feed's address is committed (docs/decisions/0002).

let packageFolder =
    Path.Combine(Environment.GetFolderPath Environment.SpecialFolder.UserProfile, ".nuget", "packages")

let isDownloaded (id: string, version: string) =
    File.Exists(Path.Combine(packageFolder, id.ToLowerInvariant(), version, ".nupkg.metadata"))

/// Every `Name (version)` of paket.lock.
let lockedPackages () =
    File.ReadLines(Path.Combine(root, "paket.lock"))
    |> Seq.map (fun line -> Regex.Match(line, @"^    (\S+) \((\S+)\)"))
    |> Seq.filter _.Success
    |> Seq.map (fun found -> found.Groups[1].Value, found.Groups[2].Value)
    |> List.ofSeq

let downloadPackages () =
    match lockedPackages () |> List.filter (isDownloaded >> not) with
    | [] -> ()
    | missing ->
        let names = missing |> List.map (fun (id, version) -> $"{id}@{version}")
        // The versions are exact; without the option one that is a prerelease is said not to exist.
        dotnet ([ "package"; "download" ] @ names @ [ "--prerelease"; "--output"; packageFolder ])

/// Downloads the closure of paket.dependencies, by restoring a throw-away project that names the same packages.
let downloadClosure () =
    let folder = Directory.CreateTempSubdirectory("dwe-closure").FullName

    let references =
        File.ReadLines(Path.Combine(root, "paket.dependencies"))
        |> Seq.map (fun line -> Regex.Match(line, @"^nuget (\S+) (\S+)"))
        |> Seq.filter _.Success
        |> Seq.map (fun found ->
            $"""<PackageReference Include="{found.Groups[1].Value}" Version="{found.Groups[2].Value}" />""")
        |> String.concat "\n"

    let project =
        $"""<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><TargetFramework>net10.0</TargetFramework>
<RestoreEnablePackagePruning>false</RestoreEnablePackagePruning></PropertyGroup>
<ItemGroup>{references}</ItemGroup></Project>"""

    let path = Path.Combine(folder, "closure.csproj")
    File.WriteAllText(path, project)
    dotnet [ "restore"; path; "--packages"; packageFolder ]
    Directory.Delete(folder, true)

Target.create "List" (fun _ -> Target.listAvailable ())

Target.create "Restore" (fun _ ->
    dotnet [ "tool"; "restore" ]
    downloadPackages ()
    dotnet [ "paket"; "restore" ])

// After a change of paket.dependencies: downloads the new closure, then writes paket.lock.
Target.create "Lock" (fun _ ->
    dotnet [ "tool"; "restore" ]
    downloadClosure ()
    dotnet [ "paket"; "install" ])

// --- code -------------------------------------------------------------------------------------------------------

let formatted = [ "Dwe.Model"; "Dwe.Tests"; "data"; "Dwe.Model.fs"; "build.fsx" ]

Target.create "Build" (fun _ ->
    dotnet [ "build"; solution; "--configuration"; "Release"; "--verbosity"; "minimal"; "-nologo" ])

Target.create "Format" (fun _ ->
    for place in formatted do
        dotnet [ "fantomas"; place ]

    // White space only: the rest needs the types of Dwe.Model, which `dotnet format` cannot load from F#; the build
    // itself checks code style (EnforceCodeStyleInBuild).
    dotnet [ "format"; "whitespace"; "Dwe.Host/Dwe.Host.csproj"; "--no-restore" ])

Target.create "CheckFormat" (fun _ ->
    // One at a time: Fantomas 7 fails on several folders.
    for place in formatted do
        dotnet [ "fantomas"; "--check"; place ]

    dotnet [ "format"; "whitespace"; "Dwe.Host/Dwe.Host.csproj"; "--no-restore"; "--verify-no-changes" ])

/// What the tests of encoders and detectors read. Without it (no npm, no network) they are skipped, and counted.
Target.create "TestWeights" (fun _ ->
    try
        dotnet [ dweProgram; "weights"; "--all" ]
    with problem ->
        Trace.traceImportant
            $"pretrained weights were not fetched, tests that need them are skipped: {problem.Message}")

/// What the tests of the service's page drive. Installed where that takes no question: as root, on Debian and its kin.
/// Without a browser those tests are skipped, and counted.
Target.create "TestBrowser" (fun _ ->
    let exists names =
        let folders = (string (System.Environment.GetEnvironmentVariable "PATH")).Split Path.PathSeparator

        Seq.allPairs folders names
        |> Seq.exists (fun (folder, name) -> File.Exists(Path.Combine(folder, name)))

    let isThere =
        exists [ "chromium"; "chromium-browser"; "google-chrome" ]
        || not (String.IsNullOrEmpty(System.Environment.GetEnvironmentVariable "DWE_CHROMIUM"))

    if not isThere then
        try
            if System.Environment.UserName = "root" && exists [ "apt-get" ] then
                run "apt-get" [ "update" ]
                run "apt-get" [ "install"; "--yes"; "--no-install-recommends"; "chromium"; "fonts-dejavu-core" ]
            else
                Trace.traceImportant
                    "no Chromium: tests of the page are skipped; install it (Debian: apt-get install chromium) or set DWE_CHROMIUM"
        with problem ->
            Trace.traceImportant $"Chromium was not installed, tests of the page are skipped: {problem.Message}")

Target.create "Test" (fun target -> dotnet (testProgram :: passedOn target))

// The picture in the README, taken anew by the test that says what it shows.
Target.create "Screenshot" (fun _ ->
    CreateProcess.fromRawCommand "dotnet" [ testProgram; "--filter-test-list"; "dwe demo" ]
    |> CreateProcess.withWorkingDirectory root
    |> CreateProcess.setEnvironmentVariable "DWE_WRITE_SCREENSHOTS" "yes"
    |> CreateProcess.ensureExitCodeWithMessage "the tests of dwe demo failed"
    |> CreateProcess.disableTraceCommand
    |> Proc.run
    |> ignore)

Target.create "Check" ignore

// --- the program ------------------------------------------------------------------------------------------------

Target.create "Weights" (fun target -> dotnet (dweProgram :: "weights" :: passedOn target))

Target.create "Train" (fun target ->
    match passedOn target with
    | [] -> dotnet [ dweProgram; "train"; "--preset"; "sample" ]
    | arguments -> dotnet (dweProgram :: "train" :: arguments))

Target.create "Eval" (fun target ->
    match passedOn target with
    | [] -> dotnet [ dweProgram; "eval"; "--run"; "runs/sample" ]
    | arguments -> dotnet (dweProgram :: "eval" :: arguments))

Target.create "Bench" (fun target -> dotnet (testProgram :: "bench" :: passedOn target))

"Restore" ==> "Build"
"Build" ==> "CheckFormat" ==> "Check"
"Build" ==> "TestWeights" ==> "Test" ==> "Check"
"TestBrowser" ==> "Test"
"Build" ==> "TestWeights" ==> "Screenshot"
"TestBrowser" ==> "Screenshot"
"CheckFormat" ?=> "Test"
"Build" ==> "Weights"
"Build" ==> "Train"
"Build" ==> "Eval"
"Build" ==> "Bench"

Target.runOrDefaultWithArguments "Build"
