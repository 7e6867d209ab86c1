namespace Dwe.Model

open System.Runtime.CompilerServices

[<assembly: InternalsVisibleTo("Dwe.Tests")>]
do ()
