namespace Dwe.Model.Training

open TorchSharp
open Dwe.Model.Tensors

/// Operations of libtorch that TorchSharp does not name, reached through TorchScript: each is one pass over many tensors.
[<RequireQualifiedAccess>]
module internal Kernels =

    let private script =
        """
def norm(gradients: List[Tensor]) -> Tensor:
    return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients)))

def update(weights: List[Tensor], gradients: List[Tensor], first: List[Tensor], second: List[Tensor],
           steps: List[Tensor], scale: float, rate: float, decay: float, beta1: float, beta2: float,
           epsilon: float) -> Tensor:
    if scale != 1.0:
        torch._foreach_mul_(gradients, scale)
    torch._fused_adamw_(weights, gradients, first, second, [], steps, lr=rate, weight_decay=decay, beta1=beta1,
                        beta2=beta2, eps=epsilon, amsgrad=False, maximize=False, grad_scale=None, found_inf=None)
    return steps[0]
"""

    let unit = lazy (torch.jit.compile script)

/// The gradients of a net's weights as one long vector. No scope of its own: the step's.
[<RequireQualifiedAccess>]
module internal Gradients =

    /// The weights that have a gradient, with it.
    let present (weights: seq<struct (string * Tensor)>) : struct (string * Tensor * Tensor) list =
        [ for struct (name, weight) in weights do
              match weight.grad with
              | null -> ()
              | gradient -> struct (name, weight, gradient) ]

    /// √(Σ g²) over all gradients; 0 without gradients.
    let globalNorm (gradients: Tensor seq) : float =
        use _ = torch.no_grad ()
        let norms = [| for gradient in gradients -> gradient.norm () |]

        if norms.Length = 0 then
            0.0
        else
            torch.stack(norms).norm().ToDouble()

    /// What gradients of this norm are multiplied with to have at most the norm `limit`: min(1, limit / (norm + 1e-6)).
    /// source : torch.nn.utils.clip_grad_norm_
    let clipFactor (limit: float) (norm: float) : float = min 1.0 (limit / (norm + 1e-6))

    /// Sets every gradient to none, so that the next backward pass starts afresh.
    let clear (weights: seq<struct (string * Tensor)>) =
        for struct (_, weight) in weights do
            weight.grad <- null
