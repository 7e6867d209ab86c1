/// How fast images are decoded, encoded and looked at, and in how much memory.
module Dwe.Tests.Benchmarks.ImagesBench

open System
open System.Diagnostics
open System.IO
open System.Threading
open NetVips
open Dwe.Host.Data
open Dwe.Host.Features
open Dwe.Host.Features.Images
open Dwe.Host.Features.Text
open Dwe.Host.Features.Vision
open Dwe.Host.Features.Weights
open Dwe.Tests.Host.Features
open Dwe.Tests.Host.Features.HashEncoder
open Dwe.Tests.Prelude

/// A JPEG of 1152 x 864 pixels: blurred noise, about as hard to decode as a photo.
let private photo (seed: int) =
    use noise =
        Image.Gaussnoise(1152, 864, sigma = Nullable 60.0, mean = Nullable 128.0, seed = Nullable seed)

    use soft = noise.Gaussblur 1.0
    use grey = soft.Cast Enums.BandFormat.Uchar
    use colour = grey.Bandjoin(grey, grey)
    use tagged = colour.Copy(interpretation = Nullable Enums.Interpretation.Srgb)
    tagged.WriteToBuffer ".jpg[Q=85]"

let private decoding (encoder: IImageEncoder) =
    let photos = Array.init 8 photo
    let each (action: byte[] -> unit) = Timing.median 1 5 (fun () -> Array.iter action photos) / 8.0

    let alone =
        each (fun bytes ->
            use image = Image.NewFromBuffer(bytes, access = Nullable Enums.Access.Sequential)
            image.WriteToMemory<byte>() |> ignore)

    let ours = each (fun bytes -> ImageDecoder.Decode bytes |> ignore)
    let prepared: float32[] = Array.zeroCreate encoder.PreparedLength

    let whole =
        each (fun bytes ->
            let image = (ImageDecoder.Decode bytes).Image |> nonNull
            encoder.Prepare(image.Width, image.Height, image.Channels, image.Pixels, Span prepared))

    printfn $"  decode, one thread: %5.1f{1.0 / ours} images/s of 1 MP, %.2f{ours / alone} x the time of libvips alone"
    printfn $"  decode and prepare: %5.1f{1.0 / whole} images/s, %.2f{whole / alone} x"

/// A job over these mentions' images, as (images/s, share of the cores' time that was used).
let private job data (work: ImageWork) =
    Folder.temporary (fun folder ->
        use self = Process.GetCurrentProcess()
        let before = self.TotalProcessorTime
        let clock = Stopwatch.StartNew()
        use text = quick ()
        let options = FeatureJobOptions(Store = Path.Combine(folder, "store"), EntityText = "{description}")

        let result =
            FeatureJob.Run(
                DatasetReaders.Read data,
                (text :> ITextEncoder),
                options,
                null,
                CancellationToken.None,
                work
            )

        let images = (nonNull result.Images).Read
        self.Refresh()

        let used =
            (self.TotalProcessorTime - before).TotalSeconds
            / clock.Elapsed.TotalSeconds
            / float Environment.ProcessorCount

        printfn
            $"    {images} images: %5.1f{float images / clock.Elapsed.TotalSeconds} mentions/s, cores busy %3.0f{100.0 * used} %%")

let private writeData folder (images: (string * byte[]) list) =
    ImageJobTests.writeData folder [ for name, _ in images -> [ name ] ]

    for name, bytes in images do
        File.WriteAllBytes(Path.Combine(folder, "images", name), bytes)

let run () =
    let cache = WeightCache.OfThisMachine()
    use encoder = MobileNetEncoder.Open cache
    decoding encoder

    let prepared = Array.create (16 * encoder.PreparedLength) 0.5f
    let seconds = Timing.median 1 5 (fun () -> encoder.Encode(Memory prepared, 16) |> ignore)
    printfn $"  image encoder: %5.1f{16.0 / seconds} images/s"

    Folder.temporary (fun folder ->
        let bytes = Array.init 20 photo
        writeData folder [ for i in 0..999 -> $"{i}.jpg", Array.append bytes[i % 20] (BitConverter.GetBytes i) ]
        printfn "  decode and encode, no parts, 1,000 images of 1 MP:"
        use work = new ImageWork(MobileNetEncoder.Open cache, new NoParts(), [])
        job folder work
        printfn $"    peak memory %.0f{Timing.peakMegabytes ()} MB")

    let photos = Fixtures.path "data/wikimel/images"

    if Directory.Exists photos then
        Folder.temporary (fun folder ->
            writeData
                folder
                [ for path in Directory.GetFiles photos -> string (Path.GetFileName path), File.ReadAllBytes path ]

            printfn "  the whole pipeline with persons, masks, faces and attributes, photos of WikiMEL:"
            let analyzer = ImageAnalyzer.Open cache

            use work =
                new ImageWork(MobileNetEncoder.Open cache, new AnalyzedParts(analyzer, PartChoice TraitChoice.All), [])

            job folder work
            printfn $"    peak memory %.0f{Timing.peakMegabytes ()} MB")
