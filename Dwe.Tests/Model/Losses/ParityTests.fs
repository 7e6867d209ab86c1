/// Losses against the numbers of the published code, in 32 and 64 bits, values and gradients.
module Dwe.Tests.Model.Losses.ParityTests

open Expecto
open TorchSharp
open Dwe.Model.Tensors
open Dwe.Model.Losses
open Dwe.Tests.Prelude

let private opened =
    lazy SafetensorsFixture.SafetensorsFixture(Fixtures.required "fixtures/reference/losses/losses.safetensors")

/// One case of the fixture: how it is computed here from its inputs in order, and how near the numbers are.
type private Case =
    {
        Name: string
        Inputs: string list
        Compute: Tensor[] -> Tensor
        Output: string
        /// Tolerance of 64-bit gradients, relative and absolute.
        Gradient64: float * float
        /// Where the published gradient is NaN: there ours only has to be finite.
        NaNGradients: bool
    }

let private case name inputs output compute =
    { Name = name
      Inputs = inputs
      Compute = compute
      Output = output
      Gradient64 = 1e-9, 1e-12
      NaNGradients = false }

let private contrastive name temperature =
    case name [ "in.out_1"; "in.out_2" ] "loss" (fun inputs ->
        Reduction.mean (Contrastive.decoupled temperature inputs[0] inputs[1]))

/// The published call passes [batch; 1; dim] and the log of the scale.
let private clip name =
    case name [ "in.image_features"; "in.text_features"; "param.logit_scale" ] "loss" (fun inputs ->
        let flat (rows: Tensor) = rows.reshape (rows.shape[0], -1L)
        Reduction.mean (Contrastive.symmetric (inputs[2].exp ()) (flat inputs[0]) (flat inputs[1])))

let private triplet name margin =
    case name [ "in.anchor"; "in.pos"; "in.neg" ] "loss" (fun inputs ->
        Reduction.mean (Triplet.published margin inputs[0] inputs[1] inputs[2]))

let private nPair name output (negatives: Tensor -> Negatives) =
    case name [ "in.anchors"; "in.positives"; "in.negatives" ] output (fun inputs ->
        let matching () = NPair.perMention Similarity.Dot (negatives inputs[2]) inputs[0] inputs[1] |> Reduction.mean
        let l2 () = NPair.l2 inputs[0] inputs[1] |> Reduction.mean

        match output with
        | "n_pair" -> matching ()
        | "l2" -> l2 ()
        | _ -> Numbers.plus (matching ()) (l2 () * Numbers.scalar NPair.publishedL2))

/// torch's softplus is the identity from 20 on, ours is not: 2e-9 of difference in a weight.
let private circle name similarity scale margin =
    let compute (inputs: Tensor[]) =
        // Golds and negatives of two axes are what the published training would pass.
        let circle =
            if inputs[1].dim () = 2L then
                Circle.shared
            else
                Circle.perMention

        Reduction.mean (circle scale margin similarity inputs[0] inputs[1] inputs[2])

    { case name [ "in.q"; "in.p"; "in.n" ] "loss" compute with
        Gradient64 = 1e-8, 1e-8 }

let private each name similarity =
    case name [ "in.query"; "in.feats" ] "sim" (fun inputs ->
        if inputs[1].dim () = 2L then
            Similarity.matrix similarity inputs[0] inputs[1]
        else
            Similarity.each similarity inputs[0] inputs[1])

let private lengths power compute = case $"lp_distance_p{power}" [ "in.x" ] "d" (fun inputs -> compute inputs[0])

let private signed power = lengths power (Similarity.signedPowerRoot power)

let private cases =
    [ contrastive "contrastive_norm_t0.5" 0.5
      contrastive "contrastive_norm_t0.6" 0.6
      contrastive "contrastive_d512_t0.6" 0.6
      contrastive "contrastive_raw_t0.5" 0.5
      contrastive "contrastive_overflow" 0.5
      clip "clip_b6_3d"
      clip "clip_b6_2d"
      clip "clip_b1"
      clip "clip_d512"
      clip "clip_scale100"
      triplet "triplet_margin0.25" 0.25
      triplet "triplet_margin0.5" 0.5
      { triplet "triplet_zero_anchor" 0.25 with NaNGradients = true }
      { case "cos_sim_batch" [ "in.a"; "in.b" ] "sim" (fun inputs -> Similarity.shrunkCosine 1e-5 inputs[0] inputs[1]) with
          NaNGradients = true }
      for name in [ "npair_published_2d"; "npair_d512"; "npair_b1"; "npair_overflow"; "npair_large_finite" ] do
          for output in [ "loss"; "n_pair"; "l2" ] do
              nPair name output Sampled
      for output in [ "loss"; "n_pair"; "l2" ] do
          nPair "npair_k3" output Own
      circle "circle_cos_p2_n4" Similarity.Cosine 16.0 0.5
      circle "circle_cos_p1_n4" Similarity.Cosine 16.0 0.5
      circle "circle_cos_p3_n1" Similarity.Cosine 16.0 0.5
      circle "circle_cos_published2d" Similarity.Cosine 16.0 0.5
      circle "circle_dot_p2_n4" Similarity.Dot 16.0 0.5
      circle "circle_dot_published2d" Similarity.Dot 16.0 0.5
      circle "circle_cos_default" Similarity.Cosine 32.0 0.25
      // The published code reads 0 as "not given".
      circle "circle_scale0_margin0" Similarity.Cosine 32.0 0.25
      circle "circle_cos_d512" Similarity.Cosine 32.0 0.25
      circle "circle_DOT_upper" Similarity.Dot 16.0 0.5
      { each "cosine_similarity" Similarity.Cosine with NaNGradients = true }
      each "cosine_similarity_2d" Similarity.Cosine
      each "cosine_similarity_d512" Similarity.Cosine
      each "dot_similarity" Similarity.Dot
      each "dot_similarity_n1" Similarity.Dot
      each "dot_similarity_b1" Similarity.Dot
      each "dot_similarity_b1n1" Similarity.Dot
      signed 1
      signed 2
      { signed 3 with NaNGradients = true }
      signed 4 ]

/// For even powers the signed sum is the sum of absolute powers.
let private evenLengths = [ lengths 2 (Similarity.lpNorm 2.0); lengths 4 (Similarity.lpNorm 4.0) ]

/// Compares where the expected value is finite; elsewhere `other` says what must hold of ours.
let private agree relative absolute (other: float -> bool) (actual: float[]) (expected: float[]) message =
    Expect.equal actual.Length expected.Length $"{message}: count"
    Expect.exists expected System.Double.IsFinite $"{message}: something to compare with"

    for i in 0 .. expected.Length - 1 do
        if System.Double.IsFinite expected[i] then
            if not (abs (actual[i] - expected[i]) <= absolute + relative * abs expected[i]) then
                failtest $"{message}: value {i} is {actual[i]:R}, expected {expected[i]:R}"
        elif not (other actual[i]) then
            failtest $"{message}: value {i} is {actual[i]:R}, where the published one is {expected[i]}"

let private parity (label: string) case =
    testCase label
    <| fun () ->
        let fixture = opened.Value

        for dtype, relative, (gradientRelative, gradientAbsolute) in
            [ torch.float32, 1e-5, (1e-4, 1e-6); torch.float64, 1e-10, case.Gradient64 ] do
            Scope.value (fun () ->
                let inputs = [| for input in case.Inputs -> fixture.Tensor($"{case.Name}/{input}", dtype) |]
                let total inputs = (case.Compute inputs).sum ()
                let ours = Expect.values (case.Compute inputs)
                let published = fixture.Values $"{case.Name}/out64.{case.Output}"
                // Odd powers: the published root is NaN as ours; a zero vector's cosine is NaN there and 0 here.
                let elsewhere value =
                    if case.Name = "lp_distance_p3" then
                        System.Double.IsNaN value
                    else
                        value = 0.0

                agree relative 1e-7 elsewhere ours published $"{dtype}"

                // The stored gradients are those of the first output.
                if case.Output <> "n_pair" && case.Output <> "l2" then
                    for input, gradient in List.zip case.Inputs (List.ofArray (Expect.gradients total inputs)) do
                        let ours = Expect.values gradient
                        let published = fixture.Values $"{case.Name}/grad64.{input}"

                        let allowed value =
                            case.NaNGradients && (case.Name = "lp_distance_p3" || System.Double.IsFinite value)

                        agree gradientRelative gradientAbsolute allowed ours published $"gradient of {input}, {dtype}")

[<Tests>]
let tests =
    testList
        "losses as published"
        [ for case in cases do
              parity $"{case.Name}, {case.Output}" case

          for case in evenLengths do
              parity $"the length by p agrees with {case.Name}" case

          testCase "what overflows 32 bits as published is finite here"
          <| fun () ->
              let fixture = opened.Value

              for name in [ "contrastive_overflow"; "npair_overflow" ] do
                  Expect.equal (fixture.Values $"{name}/out.loss") [| infinity |] $"{name} as published"
                  let case = cases |> List.find (fun case -> case.Name = name)

                  Scope.value (fun () ->
                      let inputs = [| for input in case.Inputs -> fixture.Tensor($"{name}/{input}", torch.float32) |]
                      Expect.finite (case.Compute inputs) $"{name}, value"

                      for gradient in Expect.gradients case.Compute inputs do
                          Expect.finite gradient $"{name}, gradient")

          testCase "what is NaN or infinite as published in any precision is finite here"
          <| fun () ->
              let fixture = opened.Value

              for case in [ clip "clip_zero_row"; contrastive "contrastive_b1" 0.5 ] do
                  let published = fixture.Values $"{case.Name}/out64.loss"
                  Expect.all published (System.Double.IsFinite >> not) $"{case.Name} as published"

                  Scope.value (fun () ->
                      let inputs =
                          [| for input in case.Inputs -> fixture.Tensor($"{case.Name}/{input}", torch.float64) |]

                      Expect.finite (case.Compute inputs) $"{case.Name}, value"

                      for gradient in Expect.gradients case.Compute inputs do
                          Expect.finite gradient $"{case.Name}, gradient")

          testCase "what crashes as published for a single gold or negative has a value here"
          <| fun () ->
              let fixture = opened.Value

              for name in [ "circle_dot_p1_n4"; "circle_dot_p3_n1" ] do
                  Expect.isFalse (fixture.Has $"{name}/out64.loss") $"{name} as published"

                  Scope.value (fun () ->
                      let inputs =
                          [| for input in [ "q"; "p"; "n" ] -> fixture.Tensor($"{name}/in.{input}", torch.float64) |]

                      Expect.finite (Circle.perMention 16.0 0.5 Similarity.Dot inputs[0] inputs[1] inputs[2]) name)

          testCase "what broadcasts into an error as published is refused by name"
          <| fun () ->
              let fixture = opened.Value

              Scope.value (fun () ->
                  let input name = fixture.Tensor($"triplet_broadcast/in.{name}", torch.float64)

                  Expect.invalid @"right is \[5; 1; 16\] but left is \[5; 16\]" "shapes" (fun () ->
                      Triplet.published 0.25 (input "anchor") (input "pos") (input "neg")))

          testCase "the length by p agrees with the signed form wherever the values are positive"
          <| fun () ->
              let fixture = opened.Value

              for power in [ 1; 3 ] do
                  Scope.value (fun () ->
                      let positive = fixture.Tensor($"lp_distance_p{power}/in.x", torch.float64).abs ()
                      let signed = Similarity.signedPowerRoot power positive

                      Expect.close
                          (Similarity.lpNorm (float power) positive)
                          (List.ofArray (Expect.values signed))
                          $"p = {power}") ]
