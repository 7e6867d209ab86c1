// The build: `dotnet fsi build.fsx -t TARGET`. Targets are listed by `-t List`.
#r "nuget: Fake.Core.Target, 5.20.3"

open System
open System.IO
open Fake.Core

if not (Context.isFakeContext ()) then
    fsi.CommandLineArgs
    |> Array.skip 1
    |> List.ofArray
    |> Context.FakeExecutionContext.Create false "build.fsx"
    |> Context.RuntimeContext.Fake
    |> Context.setExecutionContext

printfn "fake ok"
