namespace Dwe.Model.Training

open TorchSharp
open Dwe.Model.Tensors

/// Operations of libtorch that TorchSharp does not name, reached through TorchScript: each is one pass over many
/// tensors. Numbers go in as a tensor of 64-bit floats, since nothing keeps a TorchSharp scalar alive during a call.
[<RequireQualifiedAccess>]
module internal Kernels =

    let private script =
        """
def norm(gradients: List[Tensor]) -> Tensor:
    return torch.linalg_vector_norm(torch.stack(torch._foreach_norm(gradients)))

def update(weights: List[Tensor], gradients: List[Tensor], first: List[Tensor], second: List[Tensor],
           steps: List[Tensor], numbers: Tensor) -> Tensor:
    scale, rate, decay = float(numbers[0]), float(numbers[1]), float(numbers[2])
    beta1, beta2, epsilon = float(numbers[3]), float(numbers[4]), float(numbers[5])
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
            torch.stack(norms).norm () |> Numbers.value

    /// What gradients of this norm are multiplied with to have at most the norm `limit`: min(1, limit / (norm + 1e-6)).
    /// source : torch.nn.utils.clip_grad_norm_
    let clipFactor (limit: float) (norm: float) : float = min 1.0 (limit / (norm + 1e-6))

    /// Sets every gradient to none, so that the next backward pass starts afresh.
    let clear (weights: seq<struct (string * Tensor)>) =
        for struct (_, weight) in weights do
            weight.grad <- null
