module Dwe.Tests.Host.Terminal.ProgressDisplayTests

open System
open System.Collections.Generic
open Expecto
open Dwe.Host.Terminal

/// A clock that stands still until it is put forward.
type private HandClock() =
    inherit TimeProvider()
    let mutable ticks = 0L
    member _.Forward(seconds: float) = ticks <- ticks + int64 (seconds * 1000.0)
    override _.TimestampFrequency = 1000L
    override _.GetTimestamp() = ticks

/// The lines of a job of 1000 mentions that reports each of these (seconds since the last, done, detail).
let private lines total first (reports: (float * int64 * string) list) =
    let clock, written = HandClock(), List<string>()
    let display = ProgressDisplay.Lines("training", "mentions", Action<string> written.Add, clock)
    display.Report(first, total, "")

    for seconds, nowDone, detail in reports do
        clock.Forward seconds
        display.Report(nowDone, total, detail)

    List.ofSeq written

[<Tests>]
let tests =
    testList
        "progress in plain lines"
        [ testCase "a long job prints a line with done, rate, time left and detail"
          <| fun () ->
              Expect.equal
                  (lines 4000L 0L [ 10.0, 1000L, "loss 0.5" ])
                  [ "training: 1,000 of 4,000 mentions, 100 mentions/s, 00:00:30 left, loss 0.5" ]
                  "1000 in 10 s, 3000 to go"

          testCase "the first line comes after two seconds, the others ten apart"
          <| fun () ->
              let written = lines 1000L 0L [ for second in 1L .. 25L -> 1.0, second * 10L, "" ]

              Expect.equal
                  written
                  [ "training: 20 of 1,000 mentions, 10 mentions/s, 00:01:38 left"
                    "training: 120 of 1,000 mentions, 10 mentions/s, 00:01:28 left"
                    "training: 220 of 1,000 mentions, 10 mentions/s, 00:01:18 left" ]
                  "at 2, 12 and 22 seconds"

          testCase "a job of less than two seconds prints nothing"
          <| fun () -> Expect.isEmpty (lines 10L 0L [ 1.9, 10L, "" ]) "quiet"

          testCase "what was done before a resumed job does not count into its rate"
          <| fun () ->
              Expect.equal
                  (lines 1000L 800L [ 10.0, 900L, "" ])
                  [ "training: 900 of 1,000 mentions, 10 mentions/s, 00:00:10 left" ]
                  "100 in 10 s"

          testCase "days are hours beyond 24, and no progress has no time left"
          <| fun () ->
              Expect.equal
                  (lines 1_000_000L 0L [ 10.0, 0L, ""; 90.0, 500L, "" ])
                  [ "training: 0 of 1,000,000 mentions, 0 mentions/s, --:--:-- left"
                    "training: 500 of 1,000,000 mentions, 5 mentions/s, 55:31:40 left" ]
                  "999,500 at 5 a second are 199,900 s" ]
