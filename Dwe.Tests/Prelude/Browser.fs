/// A real browser without a window: the system's Chromium, driven by Playwright.
module Dwe.Tests.Prelude.Browser

open System
open System.IO
open Expecto
open Microsoft.Playwright

/// The program that `DWE_CHROMIUM` names, else the first of the usual names on PATH.
let private executable =
    lazy
        (match Environment.GetEnvironmentVariable "DWE_CHROMIUM" with
         | null
         | "" ->
             let folders = (Environment.GetEnvironmentVariable "PATH" |> string).Split Path.PathSeparator

             Seq.allPairs [ "chromium"; "chromium-browser"; "google-chrome" ] folders
             |> Seq.map (fun (name, folder) -> Path.Combine(folder, name))
             |> Seq.tryFind File.Exists
         | named -> Some named)

let private browser =
    lazy
        (let launch (path: string) =
            task {
                let! playwright = Playwright.CreateAsync()

                // Chromium's sandbox does not work for root, as tests in containers are run; the page is our own.
                let options = BrowserTypeLaunchOptions(ExecutablePath = path, Args = [ "--no-sandbox" ])
                let! browser = playwright.Chromium.LaunchAsync options

                AppDomain.CurrentDomain.ProcessExit.Add(fun _ ->
                    browser.CloseAsync().Wait(TimeSpan.FromSeconds 5.0) |> ignore)

                return browser
            }

         Option.map (fun path -> (launch path).GetAwaiter().GetResult()) executable.Value)

/// The browser, started once; skips the running test, visibly, where there is none.
let started () =
    match browser.Value with
    | Some browser -> browser
    | None -> skiptest "no Chromium: install it (Debian: apt-get install chromium), or name it with DWE_CHROMIUM"

/// Keeps a picture of the page as NAME.png in the folder that `DWE_SCREENSHOTS` names, if it does.
let screenshot (page: IPage) name =
    task {
        match Environment.GetEnvironmentVariable "DWE_SCREENSHOTS" with
        | null
        | "" -> ()
        | folder ->
            let! _ =
                page.ScreenshotAsync(PageScreenshotOptions(Path = Path.Combine(folder, $"{name}.png"), FullPage = true))

            ()
    }
