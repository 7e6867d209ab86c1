/// First in compile order: libtorch is loaded before any other file of the tests can make a tensor.
module Dwe.Tests.Prelude.NativeSetup

open Dwe.Host.Native

/// What was loaded into the test process.
let report = NativeLibraries.EnsureLoaded()
