module Dwe.Tests.Host.Features.ImageDecoderTests

open System
open System.IO
open System.Text
open Expecto
open NetVips
open Dwe.Host.Features.Images
open Dwe.Tests.Prelude

/// Four flat quarters of 32 x 24 pixels: red, green / blue, white. Flat, so that a JPEG keeps its colours inside them.
let private quarters bands =
    let colours = [| [| 250; 10; 20 |]; [| 20; 240; 30 |]; [| 10; 20; 230 |]; [| 245; 250; 240 |] |]

    let pixel x y =
        let colour = colours[(if y < 24 then 0 else 2) + (if x < 32 then 0 else 1)]

        match bands with
        | 1 -> [| byte colour[0] |]
        | 2 -> [| byte colour[0]; byte (if x < 32 then 255 else 128) |]
        | 4 -> [| yield! Array.map byte colour; byte (if x < 32 then 255 else 128) |]
        | _ -> Array.map byte colour

    [| for y in 0..47 do
           for x in 0..63 do
               yield! pixel x y |]

let private picture bands =
    let interpretation =
        if bands < 3 then
            Enums.Interpretation.Bw
        else
            Enums.Interpretation.Srgb

    use raw = Image.NewFromMemory<byte>(quarters bands, 64, 48, bands, Enums.BandFormat.Uchar)
    raw.Copy(interpretation = Nullable interpretation).CopyMemory()

let private encoded bands (suffix: string) =
    use image = picture bands
    image.WriteToBuffer suffix

let private decoded (bytes: byte[]) =
    let reading = ImageDecoder.Decode bytes

    match reading.Image with
    | null -> failtest $"{reading.Fault}"
    | image -> image

let private faultOf (bytes: byte[]) = ImageDecoder.Decode(bytes).Fault

let private sample (image: DecodedImage) x y =
    [ for band in 0 .. image.Channels - 1 -> int image.Pixels[(y * image.Width + x) * image.Channels + band] ]

/// The centres of the four quarters, row by row.
let private centres (image: DecodedImage) =
    [ for y in [ image.Height / 4; 3 * image.Height / 4 ] do
          for x in [ image.Width / 4; 3 * image.Width / 4 ] -> sample image x y ]

let private near (tolerance: int) (actual: int list list) (expected: int list list) message =
    let worst = List.map2 (List.map2 (fun a b -> abs (a - b))) actual expected |> List.concat |> List.max

    if worst > tolerance then
        failtest $"{message}: %A{actual}, expected %A{expected}"

let private colours = [ [ 250; 10; 20 ]; [ 20; 240; 30 ]; [ 10; 20; 230 ]; [ 245; 250; 240 ] ]

/// A JPEG with the Exif orientation, which libvips writes from the picture's own field.
let private turned orientation =
    use image = picture 3
    use copy = image.Mutate(fun mutable' -> mutable'.Set(GValue.GIntType, "orientation", orientation))
    copy.WriteToBuffer ".jpg[Q=95]"

let private svg =
    """<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><rect width="32" height="48" fill="#ff0000"/></svg>"""

/// CRC-32 as PNG defines it.
let private crc32 (bytes: byte[]) =
    let step (crc: uint32) _ =
        if crc &&& 1u = 1u then
            0xEDB88320u ^^^ (crc >>> 1)
        else
            crc >>> 1

    ~~~(bytes |> Array.fold (fun crc value -> Seq.fold step (crc ^^^ uint32 value) [ 1..8 ]) 0xFFFFFFFFu)

/// A PNG's header with other sizes, and that header's checksum: pixels are not there.
let private boasting width height =
    let bigEndian (value: uint32) = BitConverter.GetBytes value |> Array.rev
    let header = Array.concat [ "IHDR"B; bigEndian width; bigEndian height; [| 8uy; 0uy; 0uy; 0uy; 0uy |] ]
    let png = encoded 1 ".png"
    Array.concat [ png[..11]; header; bigEndian (crc32 header); png[33..] ]

[<Tests>]
let kinds =
    testList
        "images, kinds"
        [ for name, suffix, tolerance in
              [ "a baseline JPEG", ".jpg[Q=95]", 4
                "a progressive JPEG", ".jpg[Q=95,interlace]", 4
                "a PNG", ".png", 0
                "an interlaced PNG", ".png[interlace]", 0
                "a PNG with a palette", ".png[palette]", 12
                "a 16-bit PNG", ".png[bitdepth=16]", 0
                "a GIF", ".gif", 12
                "a WebP", ".webp[lossless]", 0
                "a TIFF", ".tiff[compression=lzw]", 0 ] do
              testCase $"{name} is decoded to its colours"
              <| fun () ->
                  let image = decoded (encoded 3 suffix)
                  Expect.equal (image.Width, image.Height) (64, 48) "size"
                  near tolerance (centres (image.ToRgb())) colours name

          for bands in [ 1; 2; 4 ] do
              testCase $"a PNG of {bands} channels keeps them, bit for bit"
              <| fun () ->
                  let image = decoded (encoded bands ".png")
                  Expect.equal (image.Channels, image.Pixels) (bands, quarters bands) "samples"

          testCase "transparent colours lie on white in RGB"
          <| fun () ->
              let rgb = (decoded (encoded 4 ".png")).ToRgb()
              // Alpha 128: (20 * 128 + 255 * 127 + 127) / 255 = 137.
              Expect.equal (sample rgb 0 0, sample rgb 40 0) ([ 250; 10; 20 ], [ 137; 247; 142 ]) "opaque and half"

          testCase "grey is the same in the three channels of RGB"
          <| fun () -> Expect.equal (sample ((decoded (encoded 1 ".png")).ToRgb()) 0 0) [ 250; 250; 250 ] "grey"

          testCase "a CMYK JPEG is decoded to RGB"
          <| fun () ->
              use image = picture 3
              use inks = image.Colourspace Enums.Interpretation.Cmyk
              let found = decoded (inks.WriteToBuffer ".jpg[Q=95]")
              Expect.equal found.Channels 3 "channels"
              // Inks do not reach the screen's green and blue; which colour is greatest stays.
              let greatest =
                  centres found |> List.take 3 |> List.map (fun pixel -> List.findIndex ((=) (List.max pixel)) pixel)

              Expect.equal greatest [ 0; 1; 2 ] "red, green, blue"

          testCase "an SVG is drawn at its own size"
          <| fun () ->
              let image = decoded (Encoding.UTF8.GetBytes svg)
              Expect.equal (image.Width, image.Height, image.Channels) (64, 48, 4) "size"

              Expect.equal
                  (sample (image.ToRgb()) 10 10, sample (image.ToRgb()) 50 10)
                  ([ 255; 0; 0 ], [ 255; 255; 255 ])
                  "drawn"

          testCase "Exif's orientations are undone"
          <| fun () ->
              let red, green, blue, white = colours[0], colours[1], colours[2], colours[3]

              // Where the stored picture's first row and first column belong: Exif 2.3, tag 0x0112.
              for orientation, size, expected in
                  [ 1, (64, 48), [ red; green; blue; white ]
                    2, (64, 48), [ green; red; white; blue ]
                    3, (64, 48), [ white; blue; green; red ]
                    4, (64, 48), [ blue; white; red; green ]
                    5, (48, 64), [ red; blue; green; white ]
                    6, (48, 64), [ blue; red; white; green ]
                    7, (48, 64), [ white; green; blue; red ]
                    8, (48, 64), [ green; white; red; blue ] ] do
                  let image = decoded (turned orientation)
                  Expect.equal (image.Width, image.Height) size $"size, orientation {orientation}"
                  near 4 (centres image) expected $"orientation {orientation}"

          testCase "of an animation the first frame is decoded"
          <| fun () ->
              use first = picture 3
              use second = first.Invert()
              use frames = Image.Arrayjoin([| first; second |], across = Nullable 1)
              use animation = frames.Mutate(fun mutable' -> mutable'.Set(GValue.GIntType, "page-height", 48))

              for suffix, tolerance in [ ".gif", 12; ".webp[lossless]", 0 ] do
                  let image = decoded (animation.WriteToBuffer suffix)
                  Expect.equal (image.Width, image.Height) (64, 48) suffix
                  near tolerance (centres (image.ToRgb())) colours suffix

          testCase "a longer side is reduced while decoding, and the picture stays the same"
          <| fun () ->
              let image = ImageDecoder.Decode(encoded 4 ".png", ImageLimits(Side = 32)).Image |> nonNull
              Expect.equal (image.Width, image.Height, image.Channels) (32, 24, 4) "half"

              near
                  1
                  (centres image)
                  [ for i, colour in List.indexed colours -> colour @ [ (if i % 2 = 0 then 255 else 128) ] ]
                  "colours"

          testCase "the same bytes give the same pixels on many threads at once"
          <| fun () ->
              let bytes = turned 6
              let alone = (decoded bytes).Pixels
              let together = Array.Parallel.init 32 (fun _ -> (decoded bytes).Pixels)
              Expect.all together (fun pixels -> pixels = alone) "pixels" ]

[<Tests>]
let faults =
    testList
        "images, faults"
        [ for suffix in [ ".jpg"; ".jpg[interlace]"; ".png"; ".gif"; ".webp"; ".tiff" ] do
              testCase $"half of a {suffix} is truncated"
              <| fun () ->
                  // Noise, so that half of the bytes is about half of the picture.
                  use noise = Image.Gaussnoise(128, 128, sigma = Nullable 60.0, mean = Nullable 128.0)
                  use bytes = noise.Cast Enums.BandFormat.Uchar
                  let whole = bytes.WriteToBuffer suffix
                  Expect.equal (faultOf whole) (Nullable()) "the whole of it is sound"

                  Expect.equal
                      (faultOf (Array.truncate (whole.Length / 2) whole))
                      (Nullable ImageFault.Truncated)
                      "half"

          testCase "a JPEG of ten bytes is truncated, and a text is no image"
          <| fun () ->
              Expect.equal (faultOf (Array.truncate 10 (encoded 3 ".jpg"))) (Nullable ImageFault.Truncated) "ten bytes"
              Expect.equal (faultOf "a photo, they said"B) (Nullable ImageFault.NotAnImage) "text"
              Expect.equal (faultOf (Array.zeroCreate 5000)) (Nullable ImageFault.NotAnImage) "zeros"
              Expect.equal (faultOf "<html><body>404</body></html>"B) (Nullable ImageFault.NotAnImage) "a page"

          testCase "nothing, a folder, a missing file and an empty one are told apart"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let empty = Path.Combine(folder, "empty.jpg")
                  File.WriteAllBytes(empty, [||])
                  let faultAt (path: string) = ImageDecoder.Read(path).Fault
                  Expect.equal (faultAt empty) (Nullable ImageFault.Empty) "empty"
                  Expect.equal (faultAt (Path.Combine(folder, "gone.jpg"))) (Nullable ImageFault.Missing) "gone"
                  Expect.equal (faultAt folder) (Nullable ImageFault.Missing) "a folder")

          testCase "the name says nothing: a PNG called .jpg, and one with brackets, are read"
          <| fun () ->
              Folder.temporary (fun folder ->
                  for name in [ "photo.jpg"; "photo[page=3].png"; "no extension" ] do
                      let path = Path.Combine(folder, name)
                      File.WriteAllBytes(path, encoded 3 ".png")
                      Expect.equal (ImageDecoder.Read path).Fault (Nullable()) name)

          testCase "a document is unsupported, not broken"
          <| fun () ->
              Expect.equal (faultOf "%PDF-1.7 and so on"B) (Nullable ImageFault.Unsupported) "PDF"
              Expect.equal (faultOf (Array.append "BM"B (Array.zeroCreate 60))) (Nullable ImageFault.Unsupported) "BMP"

          testCase "a header that boasts is refused before any pixel is made"
          <| fun () ->
              Expect.equal
                  (faultOf (boasting (1u <<< 20) (1u <<< 20)))
                  (Nullable ImageFault.TooManyPixels)
                  "2^40 pixels"

              let huge = svg.Replace("width=\"64\" height=\"48\"", "width=\"30000\" height=\"30000\"")
              Expect.equal (faultOf (Encoding.UTF8.GetBytes huge)) (Nullable ImageFault.TooManyPixels) "a large drawing"

          testCase "limits are those that were given"
          <| fun () ->
              let png = encoded 3 ".png"
              let fault limits = ImageDecoder.Decode(png, limits).Fault
              Expect.equal (fault (ImageLimits(Pixels = 64L * 48L))) (Nullable()) "as many pixels"
              Expect.equal (fault (ImageLimits(Pixels = 64L * 48L - 1L))) (Nullable ImageFault.TooManyPixels) "one less"
              Expect.equal (fault (ImageLimits(Bytes = int64 png.Length))) (Nullable()) "as many bytes"

              Expect.equal
                  (fault (ImageLimits(Bytes = int64 png.Length - 1L)))
                  (Nullable ImageFault.TooManyBytes)
                  "one less"

              Expect.equal (fault (ImageLimits(Time = TimeSpan.Zero))) (Nullable ImageFault.TooSlow) "no time"

          testCase "a picture is checked without being kept"
          <| fun () ->
              Folder.temporary (fun folder ->
                  let path = Path.Combine(folder, "a.jpg")
                  File.WriteAllBytes(path, turned 6)
                  Expect.equal (ImageDecoder.Check path) (Nullable()) "sound"
                  File.WriteAllBytes(path, Array.truncate 400 (turned 6))
                  Expect.equal (ImageDecoder.Check path) (Nullable ImageFault.Truncated) "cut off") ]
