module Dwe.Tests.Host.Service.PageTests

open System
open System.Collections.Concurrent
open System.IO
open System.Text
open System.Threading.Tasks
open Dwe.Tests.Prelude
open Expecto
open Microsoft.Playwright
open Serving

/// A page, what it complained of, and what it asked of others than the service.
type private Shown =
    { Page: IPage
      Complaints: ConcurrentQueue<string>
      Strangers: ConcurrentQueue<string>
      It: Served }

/// How a browser is set up.
type private Look = { Width: int; Height: int; Scheme: ColorScheme }

let private desk = { Width = 1280; Height = 900; Scheme = ColorScheme.Light }
let private phone = { Width = 390; Height = 844; Scheme = ColorScheme.Light }

/// Opens the page of a service; afterwards nothing may have been asked of any other address.
let private opened wish look (test: Shown -> Task) : Task =
    let browser = Browser.started ()

    served wish (fun it ->
        task {
            let size = ViewportSize(Width = look.Width, Height = look.Height)

            let! context =
                browser.NewContextAsync(BrowserNewContextOptions(ViewportSize = size, ColorScheme = look.Scheme))

            context.SetDefaultTimeout 20_000.0f
            let strangers, complaints = ConcurrentQueue(), ConcurrentQueue()
            let ours = it.Service.Address.ToString()

            let! _ =
                context.RouteAsync(
                    "**/*",
                    Func<IRoute, Task>(fun route ->
                        if route.Request.Url.StartsWith(ours, StringComparison.Ordinal) then
                            route.ContinueAsync()
                        else
                            strangers.Enqueue route.Request.Url
                            route.AbortAsync())
                )

            let! page = context.NewPageAsync()

            page.Console.Add(fun message ->
                if message.Type = "error" || message.Type = "warning" then
                    complaints.Enqueue message.Text)

            page.PageError.Add(fun error -> complaints.Enqueue error)
            let! _ = page.GotoAsync ours
            do! test { Page = page; Complaints = complaints; Strangers = strangers; It = it }
            Expect.isEmpty strangers "requests to others"
            do! context.CloseAsync()
        })

let private quiet (shown: Shown) = Expect.isEmpty shown.Complaints "complaints in the console"

let private words (shown: Shown) (selector: string) = shown.Page.Locator(selector).InnerTextAsync()

let private count (shown: Shown) (selector: string) = shown.Page.Locator(selector).CountAsync()

let private fill (shown: Shown) (sentence: string) = shown.Page.FillAsync("#text", sentence)

/// Presses Link and waits for the answer.
let private linked (shown: Shown) =
    task {
        do! shown.Page.ClickAsync "#link"
        let! _ = shown.Page.WaitForSelectorAsync "#sentence"
        do! Assertions.Expect(shown.Page.Locator "#state").ToContainTextAsync "compared entities"
    }

let private sentence = "A fast turn gave [[Augustus Quillane]] gold in the front crawl."

let private photo name bytes = FilePayload(Name = name, MimeType = "image/png", Buffer = bytes)

/// A picture of 160 by 100, which is what the linker of names says it has seen.
let private scene =
    lazy
        (let drawing =
            """<svg xmlns="http://www.w3.org/2000/svg" width="160" height="100"><rect width="160" height="100" fill="#9fb8c8"/>
<rect y="70" width="160" height="30" fill="#7c8f62"/><circle cx="40" cy="30" r="12" fill="#d9a066"/><rect x="25" y="42" width="30" height="45" fill="#345"/>
<circle cx="120" cy="30" r="12" fill="#8f563b"/><rect x="105" y="42" width="30" height="45" fill="#833"/></svg>"""

         use image = NetVips.Image.NewFromBuffer(Encoding.UTF8.GetBytes drawing)
         image.PngsaveBuffer())

/// Of every text that can be seen: the contrast of its colour and what lies beneath, if that is less than 4.5 (WCAG 2.2, 1.4.3).
let private faint =
    """() => {
  const parse = colour => { const [r, g, b, a] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a === undefined ? 1 : a]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = element => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.push(parse(getComputedStyle(at).backgroundColor));
    return chain.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("script, style")) continue;
    let faded = 1;
    for (let at = element; at; at = at.parentElement) faded *= Number(getComputedStyle(at).opacity);
    const below = ground(element), colour = parse(getComputedStyle(element).color);
    colour[3] *= faded;
    const [a, b] = [light(over(colour, below)), light(below)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${element.tagName}.${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""

/// No text of a page lies faintly on its ground.
let legible (page: IPage) =
    task {
        let! found = page.EvaluateAsync<string[]> faint
        Expect.equal found [||] "texts of too little contrast"
    }

let private isLegible (shown: Shown) = legible shown.Page

[<Tests>]
let tests =
    testSequenced
    <| testList
        "page"
        [ testTask "from typing to a link with the keyboard alone" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          let key name = it.Page.Keyboard.PressAsync name

                          let focused () =
                              it.Page.EvaluateAsync<string>
                                  "() => document.activeElement.id || document.activeElement.tagName"

                          let order = ResizeArray<string>()

                          for _ in 1..5 do
                              do! key "Tab"
                              let! place = focused ()
                              order.Add place

                          Expect.equal
                              (List.ofSeq order)
                              [ "text"; "mark"; "file"; "SUMMARY"; "link" ]
                              "the order of the keyboard"

                          for _ in 1..4 do
                              do! key "Shift+Tab"

                          do! it.Page.Keyboard.TypeAsync "Once Augustus Quillane swam."
                          do! key "Home"

                          for _ in 1..5 do
                              do! key "ArrowRight"

                          for _ in 1 .. "Augustus Quillane".Length do
                              do! key "Shift+ArrowRight"

                          do! key "["
                          let! value = it.Page.InputValueAsync "#text"
                          Expect.equal value "Once [[Augustus Quillane]] swam." "marked"
                          let! mention = words it "#mention"
                          Expect.equal mention "Mention: Augustus Quillane" "said"
                          do! key "Control+Enter"
                          let! _ = it.Page.WaitForSelectorAsync ".entity"
                          let! shownSentence = words it "#sentence"
                          Expect.equal shownSentence "Once Augustus Quillane swam." "the sentence"
                          let! names = it.Page.Locator(".entity h3 bdi").AllInnerTextsAsync()
                          Expect.equal (names.Count, names[0]) (10, "Augustus Quillane") "the entities"
                          let! state = words it "#state"
                          Expect.stringStarts state "10 of 192 compared entities, in " "what is announced"
                          let! live = it.Page.GetAttributeAsync("#state", "aria-live")
                          Expect.equal live "polite" "to those who hear the page"
                          do! Browser.screenshot it.Page "desk-light"
                          do! isLegible it
                          quiet it
                      })
          }

          testTask "the button marks the selection, or the word at the cursor, in place of an earlier mark" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          let select from until =
                              it.Page.EvaluateAsync
                                  $"() => document.getElementById('text').setSelectionRange({from}, {until})"

                          do! fill it "The [[envoy]] of Jordan spoke."
                          let! _ = select 19 19
                          do! it.Page.ClickAsync "#mark"
                          let! word = it.Page.InputValueAsync "#text"
                          Expect.equal word "The envoy of [[Jordan]] spoke." "the word at the cursor"
                          let! _ = select 4 14
                          do! it.Page.ClickAsync "#mark"
                          let! part = it.Page.InputValueAsync "#text"
                          Expect.equal part "The [[envoy of]] Jordan spoke." "the selection without its space"
                          quiet it
                      })
          }

          testTask "an image is shown with what was seen in it, where it was seen" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          do! fill it sentence
                          do! it.Page.SetInputFilesAsync("#file", photo "swimmers.png" scene.Value)
                          do! linked it
                          let! boxes = count it ".box"
                          Expect.equal boxes 2 "boxes"
                          let! picture = it.Page.Locator("#picture").BoundingBoxAsync()
                          let! box = it.Page.Locator(".box").First.BoundingBoxAsync()

                          match picture, box with
                          | null, _
                          | _, null -> failtest "nothing is shown"
                          | picture, box ->
                              let share =
                                  float ((box.X - picture.X) / picture.Width), float (box.Width / picture.Width)

                              Expect.floatClose Accuracy.low (fst share) (10.0 / 160.0) "its left edge"
                              Expect.floatClose Accuracy.low (snd share) (60.0 / 160.0) "its width"

                          let! parts = it.Page.Locator("#parts li").AllInnerTextsAsync()

                          Expect.stringContains
                              parts[0]
                              "person, read with weight 0.70 (model guess: male, 30 to 40, happy)"
                              "what was seen"

                          let! isSaid = it.Page.IsVisibleAsync "#guesses"
                          Expect.isTrue isSaid "that guesses are guesses"
                          let! legend = it.Page.Locator(".legend li").AllInnerTextsAsync()

                          Expect.equal
                              (List.ofSeq legend)
                              [ "text 60.0 %"; "vision 30.0 %"; "attributes 10.0 %" ]
                              "the units"

                          let! shares = it.Page.Locator(".entity").First.Locator(".shares tr").AllInnerTextsAsync()
                          Expect.equal shares.Count 2 "contributions of the best"

                          do!
                              it.Page.WaitForFunctionAsync
                                  "() => [...document.querySelectorAll('img.thumb')].every(one => one.naturalWidth > 0)"
                              :> Task

                          let! pictures = count it "img.thumb"
                          Expect.isGreaterThan pictures 0 "entities have pictures"
                          do! Browser.screenshot it.Page "image-light"
                          do! it.Page.ClickAsync "#remove"
                          let! left = count it ".box"
                          Expect.equal left 0 "removed with the image"
                          do! linked it
                          let! legend = it.Page.Locator(".legend li").AllInnerTextsAsync()
                          Expect.equal (List.ofSeq legend) [ "text 100.0 %" ] "without the image"
                          quiet it
                      })
          }

          testTask "an image can be pasted and dropped" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          let give (event: string) =
                              it.Page.EvaluateAsync(
                                  $$"""bytes => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "given.png", { type: "image/png" }));
  document.dispatchEvent({{event}});
}""",
                                  Array.map int scene.Value
                              )

                          for event in
                              [ "new ClipboardEvent('paste', { clipboardData: data })"
                                "new DragEvent('drop', { dataTransfer: data })" ] do
                              let! _ = give event
                              do! Assertions.Expect(it.Page.Locator "#caption").ToContainTextAsync "given.png"

                              do!
                                  it.Page.WaitForFunctionAsync
                                      "() => document.getElementById('preview').naturalWidth === 160"
                                  :> Task

                              do! it.Page.ClickAsync "#remove"

                          quiet it
                      })
          }

          testTask "where the threshold lies is shown, and an answer of NIL says so" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          do! fill it sentence
                          do! linked it
                          do! Assertions.Expect(it.Page.Locator ".far").ToContainTextAsync "A best score below 0.500"
                          do! it.Page.ClickAsync "summary"
                          let! _ = it.Page.SelectOptionAsync("#top", "20")
                          do! it.Page.ClickAsync "#link"
                          let! _ = it.Page.WaitForSelectorAsync ".line"
                          let! lines = it.Page.Locator(".line").AllInnerTextsAsync()
                          Expect.equal (List.ofSeq lines) [ "NIL below 0.500" ] "the line"
                          let! above = count it ".entity:not(.below)"
                          let! below = count it ".line ~ .entity.below"
                          let! all = count it ".entity"
                          Expect.isGreaterThan above 0 "above it"
                          Expect.equal (above + below) 20 "the others lie below it"
                          Expect.equal all 20 "all"
                          do! fill it "Nobody knows [[Xyzzy Plugh Quux]] here."
                          do! linked it

                          do!
                              Assertions.Expect(it.Page.Locator ".nil").ToContainTextAsync
                                  "None of these (NIL). The best score, 0."

                          do! Browser.screenshot it.Page "nil-light"
                          do! isLegible it
                          quiet it
                      })
          }

          testTask "what is wrong is said, and the last answer stays" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          do! fill it "Nothing is marked here."
                          do! it.Page.ClickAsync "#link"

                          do!
                              Assertions.Expect(it.Page.Locator "#problem").ToContainTextAsync
                                  "The sentence has no mention."

                          quiet it
                          do! fill it sentence
                          do! linked it
                          let! isShown = it.Page.IsVisibleAsync "#problem"
                          Expect.isFalse isShown "no problem any more"

                          do!
                              it.Page.SetInputFilesAsync(
                                  "#file",
                                  photo "broken.png" (Encoding.UTF8.GetBytes "no picture")
                              )

                          do! it.Page.ClickAsync "#link"

                          do!
                              Assertions.Expect(it.Page.Locator "#problem").ToContainTextAsync
                                  "Image cannot be read: not an image."

                          do!
                              Assertions.Expect(it.Page.Locator "#caption").ToContainTextAsync
                                  "This browser cannot show it"

                          let! role = it.Page.GetAttributeAsync("#problem", "role")
                          Expect.equal role "alert" "announced"
                          let! entities = count it ".entity"
                          Expect.equal entities 10 "the last answer"
                          do! Browser.screenshot it.Page "error-light"
                          do! isLegible it
                          // The browser itself notes the refusal.
                          Expect.all it.Complaints (fun line -> line.Contains "422") $"{List.ofSeq it.Complaints}"
                      })
          }

          testTask "a request can be cancelled, and a new one takes the place of the one under way" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          it.It.Linker.Hold()
                          do! fill it sentence
                          do! it.Page.ClickAsync "#link"
                          do! Assertions.Expect(it.Page.Locator "#state").ToContainTextAsync "Linking"
                          let! busy = it.Page.GetAttributeAsync("#results", "aria-busy")
                          Expect.equal busy "true" "busy"
                          do! Browser.screenshot it.Page "loading-light"
                          do! it.Page.Keyboard.PressAsync "Escape"
                          do! Assertions.Expect(it.Page.Locator "#state").ToHaveTextAsync "Cancelled."
                          do! it.Page.ClickAsync "#link"
                          do! fill it "The other is [[Matilda Rosmark]]."
                          do! it.Page.ClickAsync "#link"
                          it.It.Linker.Release()

                          do!
                              Assertions.Expect(it.Page.Locator "#sentence").ToHaveTextAsync
                                  "The other is Matilda Rosmark."

                          let! names = it.Page.Locator(".entity h3 bdi").AllInnerTextsAsync()
                          Expect.equal names[0] "Matilda Rosmark" "the answer to the second"
                          do! Task.Delay 200

                          do!
                              Assertions.Expect(it.Page.Locator "#sentence").ToHaveTextAsync
                                  "The other is Matilda Rosmark."

                          quiet it
                      })
          }

          testTask "markup that a user sends is text" {
              do!
                  opened (wish ()) desk (fun it ->
                      task {
                          let markup = "<img src=x onerror=alert(1)>"
                          do! fill it $"<b>Bold</b> [[{markup}]] <script>alert(2)</script>"
                          do! linked it
                          let! shownSentence = words it "#sentence"

                          Expect.equal
                              shownSentence
                              $"<b>Bold</b> {markup} <script>alert(2)</script>"
                              "as it was written"

                          let! made = count it "#results b, #results img[src=x], #results script"
                          Expect.equal made 0 "no element of it"
                          quiet it
                      })
          }

          testTask "with a key the page asks for it and then works, pictures included" {
              do!
                  opened { wish () with ApiKey = "s3cret" } desk (fun it ->
                      task {
                          do! Assertions.Expect(it.Page.Locator "#key").ToBeVisibleAsync()
                          do! fill it sentence
                          do! it.Page.ClickAsync "#link"

                          do!
                              Assertions.Expect(it.Page.Locator "#problem").ToContainTextAsync
                                  "The API key is missing or wrong."

                          do! it.Page.FillAsync("#key", "s3cret")
                          do! linked it

                          do!
                              it.Page.WaitForFunctionAsync
                                  "() => [...document.querySelectorAll('img.thumb')].every(one => one.naturalWidth > 0)"
                              :> Task

                          do!
                              Assertions.Expect(it.Page.Locator "#card").ToHaveTextAsync
                                  "names over sample: 192 entities, with images"

                          Expect.all it.Complaints (fun line -> line.Contains "401") $"{List.ofSeq it.Complaints}"
                      })
          }

          for name, scheme in [ "light", ColorScheme.Light; "dark", ColorScheme.Dark ] do
              testTask $"on a phone nothing is cut off, and all is legible, {name}" {
                  do!
                      opened (wish ()) { phone with Scheme = scheme } (fun it ->
                          task {
                              do! fill it sentence
                              do! it.Page.SetInputFilesAsync("#file", photo "swimmers.png" scene.Value)
                              do! linked it
                              let! width = it.Page.EvaluateAsync<int> "() => document.documentElement.scrollWidth"
                              Expect.isLessThanOrEqual width 390 "no wider than the screen"
                              let! height = it.Page.Locator("#link").BoundingBoxAsync()

                              Expect.isTrue
                                  (height |> Option.ofObj |> Option.exists (fun box -> box.Height >= 44.0f))
                                  "a finger's height"

                              do! isLegible it
                              do! Browser.screenshot it.Page $"phone-{name}"
                              quiet it
                          })
              }

          testTask "in the dark the page is dark, on a desk too" {
              do!
                  opened (wish ()) { desk with Scheme = ColorScheme.Dark } (fun it ->
                      task {
                          do! fill it sentence
                          do! it.Page.SetInputFilesAsync("#file", photo "swimmers.png" scene.Value)
                          do! linked it

                          let! ground =
                              it.Page.EvaluateAsync<string> "() => getComputedStyle(document.body).backgroundColor"

                          Expect.equal ground "rgb(21, 24, 27)" "the ground"
                          do! isLegible it
                          do! Browser.screenshot it.Page "desk-dark"
                          quiet it
                      })
          } ]

[<Tests>]
let source =
    testList
        "page, its source"
        [ testTask "forbids itself everything but its own script, style and service" {
              do!
                  served (wish ()) (fun it ->
                      task {
                          let! page = get it.Client "/"
                          let policy = Seq.exactlyOne (page.Message.Headers.GetValues "Content-Security-Policy")

                          for part in
                              [ "default-src 'none'"
                                "script-src 'sha256-"
                                "style-src 'sha256-"
                                "img-src blob: data:"
                                "connect-src 'self'"
                                "form-action 'none'"
                                "frame-ancestors 'none'" ] do
                              Expect.stringContains policy part "the policy"

                          Expect.isFalse (policy.Contains "unsafe") "nothing unsafe"

                          Expect.equal
                              (string page.Message.Content.Headers.ContentType)
                              "text/html; charset=utf-8"
                              "the type"

                          for word in
                              [ "innerHTML"
                                "outerHTML"
                                "insertAdjacentHTML"
                                "document.write"
                                "eval("
                                "http://"
                                "https://" ] do
                              Expect.isFalse (page.Raw.Contains word) word
                      })
          } ]
