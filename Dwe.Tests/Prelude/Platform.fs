namespace Dwe.Tests.Prelude

open System
open Expecto

/// Lists of tests for one kind of system; elsewhere they are skipped, and counted.
[<RequireQualifiedAccess>]
module Platform =
    let onlyOnLinux: string -> Test list -> Test = if OperatingSystem.IsLinux() then testList else ptestList

    let onlyOnUnix: string -> Test list -> Test =
        if OperatingSystem.IsWindows() then ptestList else testList
