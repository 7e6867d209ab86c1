/// How fast CLIP ViT-B/32 encodes, as shares of this machine's product rate in the same run; preprocessing beside decoding.
module Dwe.Tests.Benchmarks.ClipBench

open System
open NetVips
open TorchSharp
open Dwe.Model
open Dwe.Model.Encoders
open Dwe.Model.Tensors
open Dwe.Tests.Prelude

[<Literal>]
let private Batch = 32

/// Multiplications and additions of a stack and its projections, a row: 2 for each weight of a product and each place, and
/// the two products of attention.
let private work places layers width inputs embedding =
    let block = 12.0 * width * width + 2.0 * places * width
    2.0 * (places * (layers * block) + places * inputs * width + width * embedding)

let private rate name unit count gigaflop product (encode: unit -> unit) =
    let seconds = Timing.median 1 5 encode
    let perSecond = float count / seconds
    let share = perSecond * gigaflop / product

    printfn
        $"  {name}: %6.1f{perSecond} {unit}/s, %5.1f{perSecond * gigaflop} GFLOP/s = %3.0f{100.0 * share} %% of %.0f{product}"

let private encoding precision name dtype =
    let product = Timing.productRate dtype
    use model = ClipFiles.model precision ClipFiles.vitB32
    let images = PublishedFixture.generated 1UL 2.0 0.0 (Batch * 3 * 224 * 224)
    let image = work 50.0 12.0 768.0 3072.0 512.0 / 1e9

    rate $"image, {name}" "images" Batch image product (fun () ->
        model.EncodeImages(images.AsMemory(), Batch) |> ignore)

    for places in [ 77; 16 ] do
        let ids =
            Array.init (Batch * places) (fun i ->
                if i % places = places - 1 then
                    49407L
                else
                    int64 (i * 31 % 49000))

        let text = work (float places) 12.0 512.0 0.0 512.0 / 1e9

        rate $"text of {places} tokens, {name}" "texts" Batch text product (fun () ->
            model.EncodeTexts(ids, Batch) |> ignore)

/// A photo-like picture of about a megapixel as a JPEG in memory.
let private photo () =
    use noise = Image.Gaussnoise(1155, 866, 40.0, 128.0)
    use smooth = noise.Gaussblur 3.0
    use colour = smooth.Bandjoin(smooth.FlipHor(), smooth.FlipVer())
    use bytes = colour.Cast Enums.BandFormat.Uchar
    bytes.JpegsaveBuffer(q = 90)

let private preprocessing () =
    let file = photo ()

    let decode () =
        use image = Image.NewFromBuffer file
        image.WriteToMemory<byte>()

    let pixels = decode ()
    let target = Array.zeroCreate (3 * 224 * 224)
    let decoding = Timing.median 2 15 (fun () -> decode () |> ignore)

    let preparing =
        Timing.median 2 15 (fun () -> ClipPixels.prepare 224 1155 866 3 pixels (target.AsSpan()))

    printfn
        $"  1 MP JPEG of {file.Length / 1000} kB, one at a time: decode %.1f{1e3 * decoding} ms, resize, crop and normalise %.1f{1e3 * preparing} ms"

let private tokenizing () =
    let tokens = ClipFixture.tokenizer ()

    let sentence i =
        $"Michael Jordan [SEP] In {1900 + i % 100} the player number {i} scored {i % 50} points in Berkeley."

    let sentences = Array.init 20_000 sentence

    let seconds =
        Timing.median 1 3 (fun () ->
            for sentence in sentences do
                tokens.Row(77, sentence) |> ignore)

    printfn $"  tokenizing, one thread: %.0f{20_000.0 / seconds} texts/s"

let run () =
    printfn $"  {torch.get_num_threads ()} threads"
    encoding Float32 "float32" torch.float32
    encoding Bf16Mixed "bf16-mixed" torch.bfloat16
    preprocessing ()
    tokenizing ()
