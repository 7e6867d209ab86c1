module Dwe.Tests.Model.Training.ScheduleTests

open Expecto
open Dwe.Model.Training
open Dwe.Tests.Prelude.PublishedFixture

[<Tests>]
let tests =
    testList
        "Model.Training.Schedule"
        [ testCase "the linear schedule is the published one, also where the warm-up is longer than the run"
          <| fun () ->
              for table in (json "optim/optim.json").GetProperty("schedule").EnumerateArray() do
                  let number (name: string) = table.GetProperty(name).GetInt32()
                  let schedule = Linear(number "warmup", number "total")

                  for step, factor in Seq.indexed (table.GetProperty("lambda_").EnumerateArray()) do
                      Expect.floatClose
                          Accuracy.veryHigh
                          (Schedule.factor schedule step)
                          (factor.GetDouble())
                          $"{schedule} {step}"

          testCase "the cosine starts at 1 after its warm-up, is a half in the middle, and ends at 0"
          <| fun () ->
              let at step = Schedule.factor (Cosine(10, 30)) step
              Expect.equal [ at 0L; at 5L; at 10L; at 30L; at 31L ] [ 0.0; 0.5; 1.0; 0.0; 0.0 ] "ends"
              Expect.floatClose Accuracy.veryHigh (at 20L) 0.5 "middle"

          testCase "a constant rate is constant"
          <| fun () ->
              Expect.equal [ for step in [ 0L; 1L; 1000L ] -> Schedule.factor Constant step ] [ 1.0; 1.0; 1.0 ] "" ]
