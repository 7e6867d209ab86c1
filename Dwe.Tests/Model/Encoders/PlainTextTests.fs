module Dwe.Tests.Model.Encoders.PlainTextTests

open System.Text
open Expecto
open Dwe.Model.Encoders
open Dwe.Tests.Prelude.PublishedFixture

/// What a text looks like after its UTF-8 was read as Windows-1252, the open bytes as control characters.
let private misread (text: string) =
    let windows = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"

    Encoding.UTF8.GetBytes text
    |> Array.map (fun value ->
        if value >= 0x80uy && value < 0xa0uy then
            windows[int value - 0x80]
        else
            char value)
    |> System.String

[<Tests>]
let tests =
    testList
        "plain text"
        [ testCase "every fixture text is cleaned as the published tokenizer cleans it"
          <| fun () ->
              for case in ((json "tokenizer/tokenizer.json").GetProperty "cases").EnumerateArray() do
                  let text = nonNull ((case.GetProperty "text").GetString())
                  Expect.equal (PlainText.clean text) (nonNull ((case.GetProperty "cleaned").GetString())) text

          testCase "text that was misread once or twice is mended"
          <| fun () ->
              for text in
                  [ "Zoë Saldaña visits São Tomé"
                    "Москва и Россия"
                    "café – naïve"
                    "“quoted” — don’t"
                    "Ελλάδα"
                    "北京"
                    "😀" ] do
                  let expected = PlainText.clean text
                  Expect.equal (PlainText.clean (misread text)) expected $"{text}, misread"
                  Expect.equal (PlainText.clean (misread (misread text))) expected $"{text}, misread twice"

          testCase "sound text is left as it is"
          <| fun () ->
              for text in
                  [ "nestlé® ÉCOLE IRMÃ à la carte"
                    "ÀÉÎÕÜ «Où ça?» Ça va… 20 °C"
                    "Škoda Žižek ŁÓDŹ Ðuro"
                    "x² ± ½ × 3 ÷ 2 µm £5 ¥7"
                    "São Paulo – Brasília; naïve Noël"
                    "Москва Ελλάδα עברית" ] do
                  Expect.equal (PlainText.mend text) text "mended"

          testCase "HTML characters by name and number, and those that are none"
          <| fun () ->
              Expect.equal
                  (PlainText.unescape "&eacute;&#233;&#xe9;&#128;&hearts;&apos; &nosuch; &#xd800; & &amp;amp;")
                  "ééé€♥' &nosuch; \ufffd & &amp;"
                  "once"

              Expect.equal
                  (PlainText.unescape "&lt &copyright &notit; &hearts &AMP;")
                  "< ©right ¬it; &hearts &"
                  "old names"

              Expect.equal (PlainText.mend "&EACUTE;cole &lt &copy;") "École &lt ©" "mended: with a semicolon only"

          testCase "a sigma at a word's end and a dotted capital I have their own lower case"
          <| fun () -> Expect.equal (PlainText.clean "ΟΔΥΣΣΕΥΣ. ΣΑΣ Σ İ 𐐀") "οδυσσευς. σας σ i̇ 𐐨" "lower case" ]
