module Dwe.Tests.Host.Features.Clip.ClipEncoderTests

open System
open System.IO
open System.Threading
open Expecto
open Spectre.Console
open TorchSharp
open Dwe.Host.Commands
open Dwe.Host.Features
open Dwe.Host.Features.Clip
open Dwe.Host.Features.Images
open Dwe.Host.Features.Text
open Dwe.Host.Features.Weights
open Dwe.Model
open Dwe.Model.Config
open Dwe.Model.Tensors
open Dwe.Tests.Host.Features
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude
open Dwe.Tests.Prelude.ClipFiles

/// Nothing is fetched: the merges lie beside the weights.
let private cache = WeightCache.OfThisMachine()

/// Runs a test with `tiny` in a file, its merges beside it.
let private withTiny (test: string -> unit) =
    Folder.temporary (fun folder ->
        let path = Path.Combine(folder, "tiny.pt")
        writeOpenAI path tiny true
        writeMerges folder
        test path)

let private texts =
    [| yield! Array.init 41 (fun i -> String.replicate (i % 9) "ak bl " + string i)
       ""
       "ak"
       String.replicate 50 "cm " |]

let private rows (dimension: int) (vectors: float32[]) = Array.chunkBySize dimension vectors

let private pixels seed count = let random = Random(seed: int) in Array.init count (fun _ -> byte (random.Next 256))

/// Prepared images of several sizes and channels.
let private prepared (encoder: IImageEncoder) count =
    let all = Array.zeroCreate (count * encoder.PreparedLength)

    for i in 0 .. count - 1 do
        let width, height, channels = 20 + i, 50 - i, 1 + i % 4
        let target = all.AsSpan(i * encoder.PreparedLength, encoder.PreparedLength)
        encoder.Prepare(width, height, channels, pixels i (width * height * channels), target)

    all

[<Tests>]
let tests =
    testSequenced
    <| testList
        "CLIP's encoders"
        [ for precision in [ Float32; Bf16Mixed ] do
              testCase $"a text's bytes do not depend on the other texts or their order, in {precision}"
              <| fun () ->
                  withTiny (fun path ->
                      use encoder = ClipTextEncoder.Open(path, precision, torch.CPU, cache)
                      let together = rows 24 (encoder.Encode texts)
                      Expect.sequenceEqual (rows 24 (encoder.Encode(Array.rev texts))) (Array.rev together) "turned"

                      for i in 0 .. texts.Length - 1 do
                          Expect.sequenceEqual (encoder.Encode [| texts[i] |]) together[i] $"text {i} alone")

              testCase $"a text has as many tokens as it counts, whose bytes depend on it alone, in {precision}"
              <| fun () ->
                  withTiny (fun path ->
                      use encoder = ClipTextEncoder.Open(path, precision, torch.CPU, cache)
                      let together = encoder.EncodeTokens texts
                      Expect.sequenceEqual (encoder.EncodeTokens(Array.rev texts)) (Array.rev together) "turned"

                      for i in 0 .. texts.Length - 1 do
                          let alone = encoder.EncodeTokens [| texts[i] |]
                          Expect.sequenceEqual alone[0] together[i] $"text {i} alone"
                          Expect.equal together[i].Length (24 * encoder.CountTokens texts[i]) $"text {i}"

                      Expect.equal (encoder.CountTokens "") 0 "the marks are none"
                      let most = tiny.Context - 2
                      Expect.equal (encoder.CountTokens(String.replicate 99 "cm ")) most "but two places")

              testCase $"an image's bytes do not depend on how many are beside it, in {precision}"
              <| fun () ->
                  withTiny (fun path ->
                      use encoder = ClipImageEncoder.Open(path, precision, torch.CPU)
                      let images = prepared encoder 21
                      let together = rows 24 (encoder.Encode(images, 21))

                      for i in 0..20 do
                          let alone = images.AsMemory(i * encoder.PreparedLength, encoder.PreparedLength)
                          Expect.sequenceEqual (encoder.Encode(alone, 1)) together[i] $"image {i} alone")

          testCase "bytes are the same whatever the number of threads"
          <| fun () ->
              withTiny (fun path ->
                  use text = ClipTextEncoder.Open(path, Float32, torch.CPU, cache)
                  use image = ClipImageEncoder.Open(path, Float32, torch.CPU)
                  let images = prepared image 21
                  let threads = torch.get_num_threads ()

                  let found =
                      [ for count in [ 1; 2 ] do
                            torch.set_num_threads count
                            text.Encode texts, image.Encode(images, 21) ]

                  torch.set_num_threads threads
                  Expect.equal found[1] found[0] "bytes")

          testCase "the ids name model, weights, preprocessing and precision"
          <| fun () ->
              withTiny (fun path ->
                  use weights = ClipWeights.Open path
                  let hash = weights.Sha256()[..15]
                  use text = ClipTextEncoder.Open(path, Float32, torch.CPU, cache)
                  use image = ClipImageEncoder.Open(path, Bf16Mixed, torch.CPU)
                  Expect.equal text.Id $"clip/vit-64x2-p8/sha256-{hash}/clip-bpe-1" "text"
                  Expect.equal image.Id $"clip/vit-64x2-p8/sha256-{hash}/pillow-bicubic-1/bf16-mixed-2" "image"
                  Expect.equal (text.Dimension, image.Dimension, image.PreparedLength) (24, 24, 3 * 32 * 32) "sizes")

          testCase "no texts and no images give no rows"
          <| fun () ->
              withTiny (fun path ->
                  use text = ClipTextEncoder.Open(path, Float32, torch.CPU, cache)
                  use image = ClipImageEncoder.Open(path, Float32, torch.CPU)
                  Expect.isEmpty (text.Encode [||]) "texts"
                  Expect.isEmpty (image.Encode(Memory.Empty, 0)) "images")

          testCase "merges that are fewer than the weights need are refused"
          <| fun () ->
              withTiny (fun path ->
                  let merges = Path.Combine(nonNull (Path.GetDirectoryName path), "merges.txt")
                  File.WriteAllText(merges, "#version: 0.2\na k\n")

                  Refusal.isSpelled
                      $"{merges}: merges: found 1 merges for 600 ids, expected the merges of CLIP's tokenizer, one pair a line."
                      (fun () -> ClipTextEncoder.Open(path, Float32, torch.CPU, cache).Dispose()))

          testCase "the published merges are read alike from each kind of file"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let package = SharedWeights.fetched WeightCatalogue.ClipVocabulary
                  let script = File.ReadAllText(Path.Combine(package, "esm", "bpe_simple_vocab_16e6.js"))
                  let start = script.IndexOf '{'
                  use json = Text.Json.JsonDocument.Parse(script.Substring(start, script.LastIndexOf '}' + 1 - start))
                  let lines = (nonNull (json.RootElement.GetProperty("text").GetString())).Split('\n')[1..48894]
                  let expected = (ClipFixture.tokenizer ()).Row(77, "barack obama visited berlin, naïvely")

                  let isRead (name: string) (write: string -> unit) =
                      let own = Directory.CreateDirectory(Path.Combine(folder, name)).FullName
                      write (Path.Combine(own, name))
                      let tokens = ClipMerges.Open(own, 49408, cache)
                      Expect.equal (tokens.Row(77, "barack obama visited berlin, naïvely")) expected name

                  let quoted (text: string) = Text.Json.JsonSerializer.Serialize text
                  isRead "merges.txt" (fun path -> File.WriteAllLines(path, Array.append [| "#version: 0.2" |] lines))

                  isRead "tokenizer.json" (fun path ->
                      let pair (line: string) =
                          let parts = line.Split ' '
                          "[" + quoted parts[0] + "," + quoted parts[1] + "]"

                      let all = String.Join(',', Array.map pair lines)
                      File.WriteAllText(path, """{"model":{"merges":[""" + all + "]}}"))

                  isRead "bpe_simple_vocab_16e6.txt.gz" (fun path ->
                      use zipped = new Compression.GZipStream(File.Create path, Compression.CompressionLevel.Fastest)
                      use writer = new StreamWriter(zipped)
                      writer.Write("header\n" + String.Join('\n', lines) + "\n")))

          testCase "dwe features with CLIP writes a store whose manifest names the weights"
          <| fun () ->
              withTiny (fun path ->
                  Folder.temporary (fun folder ->
                      let data, store = Path.Combine(folder, "data"), Path.Combine(folder, "store")
                      FeatureJobTests.writeDataset data 12 6

                      let request =
                          match
                              CommandLine.Parse
                                  [| "features"; "--data"; data; "--out"; store; "--encoder"; $"clip:{path}" |]
                          with
                          | Ok(Command.Features request) -> request
                          | other -> failtest $"not understood: {other}"

                      let console =
                          AnsiConsole.Create(AnsiConsoleSettings(Out = AnsiConsoleOutput(new StringWriter())))

                      let openEncoder () = ClipTextEncoder.Open(path, Float32, torch.CPU, cache) :> ITextEncoder

                      Expect.equal
                          (FeaturesCommand.Run(console, request, openEncoder, CancellationToken.None))
                          0
                          "exit code"

                      use weights = ClipWeights.Open path
                      let manifest = File.ReadAllText(Path.Combine(store, "manifest.json"))
                      Expect.stringContains manifest $"sha256-{weights.Sha256()[..15]}" "manifest"))

          testCase "at the size of ViT-B/32, bfloat16 products keep every vector's direction"
          <| fun () ->
              let encoded precision =
                  use model = ClipFiles.model precision vitB32
                  let images = PublishedFixture.generated 7UL 2.0 0.0 (4 * 3 * 224 * 224)

                  let token row place =
                      if place = 15 then
                          49407L
                      else
                          int64 ((row * 977 + place * 3001) % 49000)

                  let ids = Array.init (4 * 16) (fun i -> token (i / 16) (i % 16))
                  rows 512 (model.EncodeImages(images.AsMemory(), 4)), rows 512 (model.EncodeTexts(ids, 4))

              let images, texts = encoded Float32
              let imagesHalf, textsHalf = encoded Bf16Mixed

              for name, full, half in [ "image", images, imagesHalf; "text", texts, textsHalf ] do
                  for row in 0..3 do
                      let cosine = Loops.cosine (Array.map float full[row]) (Array.map float half[row])
                      Expect.isGreaterThan cosine 0.999 $"{name} {row}"

                  let apart = Loops.cosine (Array.map float full[0]) (Array.map float full[1])
                  Expect.isLessThan apart 0.999 $"the {name}s differ from each other"

          testCase "the program encodes the sample with a user's CLIP file, trains on it, and tells precisions apart"
          <| fun () ->
              withTiny (fun weights ->
                  let folder = string (Path.GetDirectoryName weights)
                  let store, run = Path.Combine(folder, "store"), Path.Combine(folder, "run")
                  let data = SampleRun.sample

                  let encode extra =
                      SampleRun.succeed
                          ([ "features"; "--data"; data; "--out"; store; "--encoder"; $"clip:{weights}" ] @ extra)
                          []

                  let first = encode []
                  Expect.stringContains first.Output "0 used again" "nothing was there"
                  use opened = FeatureStore.Open store
                  Expect.equal (opened.Table("dev").Kind("text").Dim) 24 "the model's width"
                  Expect.stringContains (encode []).Output " of which 0 encoded" "the same again"

                  Expect.stringContains
                      (encode [ "--precision"; "bf16-mixed" ]).Output
                      " 0 used again"
                      "another precision"

                  let training = [ "train"; "--preset"; "sample"; "--features"; store; "--out"; run ]
                  SampleRun.succeed (training @ SampleRun.small @ [ "--set"; "training.epochs=1" ]) [] |> ignore
                  let manifest = SampleRun.json (Path.Combine(run, "manifest.json"))
                  Expect.equal (manifest.GetProperty("text_size").GetInt32()) 24 "text"
                  Expect.equal (manifest.GetProperty("entity_size").GetInt32()) 24 "entity") ]
