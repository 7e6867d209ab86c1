namespace Dwe.Model.Encoders

open System

/// An image as CLIP's image tower takes it (openai/CLIP clip/clip.py, `_transform`): the shorter side resized to `side`, the
/// centre cropped, RGB, (p / 255 - mean) / deviation a channel.
[<RequireQualifiedAccess>]
module internal ClipPixels =

    let private means = [| 0.48145466f; 0.4578275f; 0.40821073f |]
    let private deviations = [| 0.26862954f; 0.26130258f; 0.27577711f |]

    /// What each of the 256 values becomes, a channel.
    let private normalised =
        Array.init 3 (fun channel ->
            Array.init 256 (fun value -> (float32 value / 255.0f - means[channel]) / deviations[channel]))

    /// Colour times alpha over 255, rounded as Pillow rounds it.
    let private times (colour: byte) (alpha: byte) =
        let product = int colour * int alpha + 128
        byte (((product >>> 8) + product) >>> 8)

    /// Transparent pixels must not bleed their hidden colour into their neighbours: colours are weighted by alpha first.
    let private premultiplied channels (pixels: byte[]) =
        let weighted = Array.copy pixels

        for pixel in 0 .. pixels.Length / channels - 1 do
            let at = pixel * channels
            let alpha = pixels[at + channels - 1]

            for channel in at .. at + channels - 2 do
                weighted[channel] <- times pixels[channel] alpha

        weighted

    /// And divided by it afterwards; what is wholly transparent stays as it is.
    let private divided (colour: int) (alpha: int) =
        if alpha = 0 || alpha = 255 then
            colour
        else
            min 255 (255 * colour / alpha)

    /// Where a crop of `side` starts in `extent` pixels: half of what is left over, halves to even.
    let private cropStart extent side = int (Math.Round(float (extent - side) / 2.0, MidpointRounding.ToEven))

    /// The extents after the shorter side became `side`; the longer one is cut to a whole number.
    let resized side width height =
        let longer long short = int (float (int64 side * int64 long) / float short)

        if width <= height then
            side, longer height width
        else
            longer width height, side

    /// The cropped RGB image before normalisation, [side; side; 3]. Agrees with Pillow 9.4 on modes L, LA, RGB and RGBA.
    ///
    /// raises : ArgumentException where the extents do not describe the pixels
    let crop (side: int) (width: int) (height: int) (channels: int) (pixels: byte[]) : byte[] =
        if width < 1 || height < 1 || channels < 1 || channels > 4 then
            invalidArg (nameof channels) $"{width} x {height} pixels of {channels} channels, expected 1 to 4 channels"

        if int64 pixels.Length <> int64 width * int64 height * int64 channels then
            invalidArg (nameof pixels) $"{pixels.Length} bytes, expected {width} x {height} x {channels}"

        let newWidth, newHeight = resized side width height
        let hasAlpha = channels % 2 = 0
        let weighted = hasAlpha && (newWidth, newHeight) <> (width, height)
        let source = if weighted then premultiplied channels pixels else pixels
        let start = cropStart newWidth side, cropStart newHeight side
        let lanes = Bicubic.window source width height channels (newWidth, newHeight) start side
        let colours = if hasAlpha then channels - 1 else channels
        let target = Array.zeroCreate (side * side * 3)

        for pixel in 0 .. side * side - 1 do
            for channel in 0..2 do
                let colour = lanes[pixel * 4 + (if colours = 1 then 0 else channel)]

                target[pixel * 3 + channel] <-
                    byte (
                        if weighted then
                            divided colour lanes[pixel * 4 + colours]
                        else
                            colour
                    )

        target

    /// `crop`, normalised: fills [3; side; side].
    let prepare side width height channels (pixels: byte[]) (target: Span<float32>) =
        let area = side * side

        if target.Length <> 3 * area then
            invalidArg (nameof target) $"{target.Length} values, expected {3 * area}"

        let cropped = crop side width height channels pixels

        for channel in 0..2 do
            let table = normalised[channel]

            for pixel in 0 .. area - 1 do
                target[channel * area + pixel] <- table[int cropped[pixel * 3 + channel]]
