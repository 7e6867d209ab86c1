namespace Dwe.Model.Tensors

open TorchSharp

/// One dispose scope at the edge: whoever runs a forward or loss step opens it, so functions inside are written plainly.
/// Never `await` inside: scopes are per thread.
[<RequireQualifiedAccess>]
module Scope =

    /// Runs `compute` in a scope; only the tensor it returns survives.
    let run (compute: unit -> Tensor) : Tensor =
        use scope = torch.NewDisposeScope()
        (compute ()).MoveToOuterDisposeScope()

    /// Runs `compute` in a scope out of which no tensor comes.
    let value (compute: unit -> 'Value) : 'Value =
        use _ = torch.NewDisposeScope()
        compute ()
