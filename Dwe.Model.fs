namespace Dwe.Model

open TorchSharp

module Hello =
    let sum () = torch.ones(3L).sum().item<float32> ()
