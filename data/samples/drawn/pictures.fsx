/// How the drawn sample draws: SVG as text, whole numbers only, so that a picture is reviewed like code and the same bytes
/// come out everywhere. A kind has one shape; colours, size, place, tilt and background vary. Shapes are drawn about the
/// origin, within -50 .. 50, and stand on y = 45.
module Drawn.Pictures

open System

/// Three colours that go together: body, trim, detail.
type Palette = { Body: string; Trim: string; Detail: string }

let palette (body, trim, detail) = { Body = body; Trim = trim; Detail = detail }

let palettes =
    [ "#c0392b", "#f4ecd8", "#2c3e50"
      "#1f618d", "#fdebd0", "#641e16"
      "#7d6608", "#f9e79f", "#1b2631"
      "#196f3d", "#eafaf1", "#4a235a"
      "#6c3483", "#f5eef8", "#17202a"
      "#a04000", "#fef5e7", "#154360"
      "#34495e", "#ecf0f1", "#922b21"
      "#117864", "#fcf3cf", "#512e5f" ]
    |> List.map palette

/// Colours that no mention's picture has, for the pictures of entities.
let entityPalettes =
    [ "#d35400", "#d6eaf8", "#0b5345"
      "#2e86c1", "#fadbd8", "#424949"
      "#229954", "#fdf2e9", "#5b2c6f"
      "#943126", "#e8f8f5", "#1a5276" ]
    |> List.map palette

let rect x y width height fill = $"<rect x='{x}' y='{y}' width='{width}' height='{height}' fill='{fill}'/>"
let disc x y radius fill = $"<circle cx='{x}' cy='{y}' r='{radius}' fill='{fill}'/>"

let ring x y radius width stroke =
    $"<circle cx='{x}' cy='{y}' r='{radius}' fill='none' stroke='{stroke}' stroke-width='{width}'/>"

let shape points fill = $"<polygon points='{points}' fill='{fill}'/>"
let path d fill = $"<path d='{d}' fill='{fill}'/>"
let line d width stroke = $"<path d='{d}' fill='none' stroke='{stroke}' stroke-width='{width}' stroke-linecap='round'/>"

let lighthouse c =
    [ shape "-14,45 -9,-22 9,-22 14,45" c.Trim
      shape "-13,28 -12,12 12,12 13,28" c.Body
      shape "-10,-4 -9,-20 9,-20 10,-4" c.Body
      rect -13 -26 26 5 c.Detail
      rect -8 -39 16 13 "#ffe066"
      line "M-8,-39V-26M0,-39V-26M8,-39V-26" 2 c.Detail
      shape "-11,-39 0,-49 11,-39" c.Body
      rect -4 34 8 11 c.Detail
      shape "9,-37 50,-46 50,-24 9,-30" "#fff3b0" ]

let boat c =
    [ path "M-42,22H42Q32,42 22,42H-24Q-36,40 -42,22Z" c.Body
      rect -2 -48 4 70 c.Detail
      shape "4,-46 4,16 40,16" c.Trim
      shape "-4,-38 -4,16 -34,16" c.Trim
      shape "2,-48 16,-44 2,-40" c.Body
      line "M-38,28H38" 2 c.Trim ]

let windmill c =
    let sail angle =
        $"<g transform='translate(0 -14) rotate({angle})'>"
        + rect -2 -36 4 36 c.Detail
        + rect 2 -35 9 25 c.Trim
        + line "M2,-29H11M2,-23H11M2,-17H11" 1 c.Detail
        + "</g>"

    [ shape "-18,45 -11,-18 11,-18 18,45" c.Body
      path "M-12,-18Q0,-34 12,-18Z" c.Detail
      rect -5 28 10 17 c.Detail
      rect -4 4 8 8 c.Trim
      sail 20
      sail 110
      sail 200
      sail 290
      disc 0 -14 4 c.Detail ]

let locomotive c =
    [ rect -36 -6 48 24 c.Body
      rect 10 -30 26 50 c.Body
      rect 6 -35 34 6 c.Detail
      rect 16 -22 14 16 c.Trim
      shape "-33,-32 -19,-32 -22,-6 -30,-6" c.Detail
      path "M-8,-6V-14Q-2,-20 4,-14V-6Z" c.Trim
      shape "-36,18 -48,36 -36,36" c.Detail
      rect -38 18 76 7 c.Detail
      disc -24 34 11 c.Trim
      disc 0 34 11 c.Trim
      disc 26 34 11 c.Trim
      ring -24 34 10 3 c.Detail
      ring 0 34 10 3 c.Detail
      ring 26 34 10 3 c.Detail
      line "M-24,34H26" 3 c.Body
      disc -30 -40 6 "#d5d8dc"
      disc -20 -46 4 "#e5e8e8" ]

let bridge c =
    [ rect -50 6 100 9 c.Body
      rect -30 -34 7 78 c.Detail
      rect 23 -34 7 78 c.Detail
      line "M-50,2Q-38,-10 -27,-32Q0,24 27,-32Q38,-10 50,2" 3 c.Trim
      line "M-44,-2V6M-38,-8V6M-18,-14V6M-9,-3V6M0,0V6M9,-3V6M18,-14V6M38,-8V6M44,-2V6" 1 c.Trim
      path "M-50,45V30Q0,38 50,30V45Z" "#5dade2" ]

let tree c =
    [ path "M-6,45Q-4,16 -14,2L-8,0Q-2,8 0,-8Q4,8 12,-2L16,2Q6,16 8,45Z" "#6e4b2a"
      disc -20 -8 17 "#2e7d32"
      disc 20 -8 17 "#2e7d32"
      disc -9 -27 18 "#388e3c"
      disc 11 -28 18 "#2e7d32"
      disc 0 -12 17 "#43a047"
      disc -16 -12 3 c.Body
      disc 12 -24 3 c.Body
      disc 22 -6 3 c.Body
      disc -4 -32 3 c.Body
      disc 2 -10 3 c.Body ]

let balloon c =
    [ path "M0,-49C32,-49 38,-14 10,18H-10C-38,-14 -32,-49 0,-49Z" c.Body
      path "M0,-49C14,-49 16,-14 5,18H-5C-16,-14 -14,-49 0,-49Z" c.Trim
      path "M0,-49C4,-49 5,-14 2,18H-2C-5,-14 -4,-49 0,-49Z" c.Detail
      line "M-9,18L-7,32M9,18L7,32M0,18V32" 1 c.Detail
      rect -9 31 18 13 "#8d6e3f"
      rect -10 30 20 3 c.Detail ]

let bottle c =
    [ path "M-6,-34H6V-16Q16,-8 16,2V40Q16,45 11,45H-11Q-16,45 -16,40V2Q-16,-8 -6,-16Z" "#2f6b4f"
      rect -7 -47 14 14 c.Body
      rect -16 8 32 22 c.Trim
      rect -11 13 22 3 c.Detail
      rect -11 19 16 2 c.Detail
      disc 8 25 3 c.Body
      path "M-12,2V38Q-10,40 -9,38V0Z" "#7fb79a" ]

let kite c =
    [ shape "0,-48 26,-16 0,26 -26,-16" c.Body
      shape "0,-48 26,-16 0,-16" c.Trim
      shape "0,26 -26,-16 0,-16" c.Trim
      line "M0,-48V26M-26,-16H26" 2 c.Detail
      line "M0,26Q12,32 4,38T10,48" 2 c.Detail
      shape "4,30 12,28 10,36" c.Body
      shape "2,38 10,38 5,44" c.Body
      line "M0,26Q-24,34 -46,48" 1 c.Detail ]

let bicycle c =
    [ ring -26 24 20 3 c.Detail
      ring 26 24 20 3 c.Detail
      line "M-26,4V44M-46,24H-6M-40,10L-12,38M-40,38L-12,10M26,4V44M6,24H46M12,10L40,38M12,38L40,10" 1 "#909497"
      line "M-26,24L-8,-8L14,-8L0,24ZM14,-8L26,24M-8,-8L0,24" 4 c.Body
      line "M-8,-8L-11,-18M14,-8L11,-22L22,-26" 3 c.Body
      rect -20 -22 18 5 c.Detail
      ring 0 24 5 3 c.Body ]

let castle c =
    [ rect -34 -6 68 51 c.Body
      rect -46 -24 20 69 c.Body
      rect 26 -24 20 69 c.Body
      rect -12 -18 24 40 c.Body
      shape "-48,-24 -36,-48 -24,-24" c.Detail
      shape "24,-24 36,-48 48,-24" c.Detail
      path "M-34,-6V-13H-26V-6H-20V-13H-13V-6ZM13,-6V-13H20V-6H26V-13H34V-6Z" c.Body
      shape "-14,-18 0,-38 14,-18" c.Detail
      path "M-9,45V28Q0,16 9,28V45Z" c.Detail
      rect -39 -10 5 11 c.Trim
      rect 34 -10 5 11 c.Trim
      rect -3 -10 6 11 c.Trim ]

let teapot c =
    [ path "M-28,38Q-38,-16 0,-18Q38,-16 28,38Q0,46 -28,38Z" c.Body
      path "M26,20Q40,14 42,-10L50,-13L48,-5Q46,26 24,34Z" c.Body
      line "M-30,-4Q-50,-6 -46,14Q-44,26 -28,26" 5 c.Body
      path "M-16,-17Q0,-30 16,-17Z" c.Detail
      disc 0 -28 5 c.Detail
      line "M-32,14Q0,22 32,14" 4 c.Trim
      disc -14 28 3 c.Trim
      disc 0 31 3 c.Trim
      disc 14 28 3 c.Trim ]

let shapes =
    Map.ofList
        [ "lighthouse", lighthouse
          "sailing boat", boat
          "windmill", windmill
          "locomotive", locomotive
          "bridge", bridge
          "tree", tree
          "balloon", balloon
          "bottle", bottle
          "kite", kite
          "bicycle", bicycle
          "castle", castle
          "teapot", teapot ]

/// Skies and grounds of the mentions' pictures; each is a whole picture of 100 x 100. Two numbers vary what stands where.
let backgrounds: (int -> int -> string list) list =
    [ fun a b -> [ rect 0 0 100 100 "#aed6f1"; disc (10 + a) 18 9 "#f7dc6f"; rect 0 (62 + b / 4) 100 40 "#82c26e" ]
      fun a b ->
          [ rect 0 0 100 100 "#d4e6f1"
            disc (15 + a) 20 7 "#ffffff"
            disc (24 + a) 18 9 "#ffffff"
            rect 0 (64 + b / 4) 100 40 "#3d85b8"
            line $"M{b},80H{b + 18}M{60 - b},90H{78 - b}" 1 "#d6eaf8" ]
      fun a b ->
          [ rect 0 0 100 100 "#f5b7a1"
            disc (70 - a / 2) 48 14 "#e67e22"
            shape $"0,100 0,{60 + b / 4} 30,48 60,66 100,{52 + a / 8} 100,100" "#7e5a6b" ]
      fun a b ->
          [ rect 0 0 100 100 "#2c3350"
            disc (20 + a) 16 7 "#f4f1de"
            disc (b + 8) 30 1 "#ffffff"
            disc (88 - a) 12 1 "#ffffff"
            disc 50 24 1 "#ffffff"
            rect 0 (70 - b / 4) 100 40 "#3f4a3c" ]
      fun a b ->
          [ rect 0 0 100 100 "#e8eef2"
            shape $"0,100 {a / 2},44 {40 + a / 2},100" "#c3ccd5"
            shape $"{30 + b},100 {62 + b / 2},38 100,100" "#b1bcc8"
            rect 0 76 100 24 "#fdfefe" ]
      fun a b ->
          [ rect 0 0 100 100 "#ead7b7"
            rect 0 (68 + b / 5) 100 40 "#a9805b"
            line $"M0,{20 + a / 4}H100M0,{40 + a / 4}H100" 1 "#d9c19a" ] ]

/// Plain grounds of the entities' pictures.
let entityGrounds = [ "#f7f4ec"; "#e4ecf5"; "#f3e6ea"; "#e6f1e4" ]

let private svg viewBox (parts: string list) =
    let drawn = String.Join("\n", parts)
    $"<svg xmlns='http://www.w3.org/2000/svg' width='224' height='224' viewBox='{viewBox}'>\n{drawn}\n</svg>\n"

/// Where the shape stands: middle, percent of its full size, tilt in degrees.
type Place = { X: int; Y: int; Percent: int; Tilt: int }

let private placed kind colours place =
    let inner = String.Join("\n", shapes[kind]colours)

    $"<g transform='translate({place.X} {place.Y}) rotate({place.Tilt}) scale(0.{place.Percent:D2})'>\n{inner}\n</g>"

/// A picture of nothing that has a name here.
let neutral background = svg "0 0 100 100" background

let scene background kind colours place = svg "0 0 100 100" (background @ [ placed kind colours place ])

/// The shape alone on black, cut out as the published pipeline cuts out persons.
let cutOut kind colours place =
    let half = place.Percent * 54 / 100
    let box = $"{place.X - half} {place.Y - half} {2 * half} {2 * half}"

    svg
        box
        [ rect (place.X - half) (place.Y - half) (2 * half) (2 * half) "#000000"
          placed kind colours place ]

/// The picture of an entity: a plain ground with a frame.
let portrait ground kind colours =
    svg
        "0 0 100 100"
        [ rect 0 0 100 100 ground
          $"<rect x='4' y='4' width='92' height='92' fill='none' stroke='{colours.Detail}' stroke-width='1'/>"
          placed kind colours { X = 50; Y = 50; Percent = 80; Tilt = 0 } ]
