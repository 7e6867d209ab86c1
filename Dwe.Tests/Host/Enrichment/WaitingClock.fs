/// Clocks for jobs that wait.
module Dwe.Tests.Host.Enrichment.WaitingClock

open System
open System.Collections.Concurrent
open System.Threading
open System.Threading.Tasks

/// A clock whose time passes by waiting alone, and at once: it keeps what was waited for, in seconds.
type WaitingClock() =
    inherit TimeProvider()
    let waits = ConcurrentQueue<float>()
    let start = DateTimeOffset(2024, 2, 29, 12, 0, 0, TimeSpan.Zero)
    let mutable passed = 0L

    /// In the order in which they began.
    member _.Waits = List.ofSeq waits

    member _.Start = start

    override _.GetUtcNow() = start.AddTicks(Interlocked.Read &passed)

    override _.CreateTimer(callback, state, due, _) =
        waits.Enqueue due.TotalSeconds
        Interlocked.Add(&passed, due.Ticks) |> ignore
        ThreadPool.QueueUserWorkItem(fun _ -> callback.Invoke state) |> ignore

        { new ITimer with
            member _.Change(_, _) = true
            member _.Dispose() = ()
            member _.DisposeAsync() = ValueTask.CompletedTask }
