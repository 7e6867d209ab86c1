namespace Dwe.Model.Config

open System
open System.Globalization
open Dwe.Model.Domain

/// One configuration key: its meaning, how it is read from text and written to it. The table of all fields is the only
/// place that knows keys; files, `--set`, `dwe config` and the documentation are made from it.
type Field =
    {
        Key: string
        Help: string
        Expected: string
        /// A JSON literal: `0.4`, `"linear"`.
        Write: RunConfig -> string
        /// None when the text is not what `Expected` says.
        Read: string -> RunConfig -> RunConfig option
    }

[<RequireQualifiedAccess>]
module internal Field =

    let private invariant = CultureInfo.InvariantCulture

    let private field key help expected (write: 'Value -> string) (read: string -> 'Value option) get set =
        { Key = key
          Help = help
          Expected = expected
          Write = get >> write
          Read = fun text config -> read text |> Option.map (fun value -> set value config) }

    let integer key help (low: int64, high: int64) get set =
        let read (text: string) =
            match Int64.TryParse(text, NumberStyles.AllowLeadingSign, invariant) with
            | true, value when value >= low && value <= high -> Some value
            | _ -> None

        let expected =
            if high = Int64.MaxValue then
                $"a whole number of at least {low}"
            else
                $"a whole number from {low} to {high}"

        field key help expected (fun (value: int64) -> value.ToString invariant) read get set

    let int key help (low: int, high: int) (get: RunConfig -> int) set =
        integer key help (int64 low, int64 high) (get >> int64) (fun value -> set (int value))

    /// A real number in [low, high); `1e-4` and `0.5` are numbers, `0,5` is not.
    let real key help (low: float, high: float) get set =
        let read (text: string) =
            match Double.TryParse(text, NumberStyles.Float, invariant) with
            | true, value when value >= low && value < high -> Some value
            | _ -> None

        let expected =
            if Double.IsInfinity high then
                $"a number of at least {low.ToString invariant}, with a point"
            else
                $"a number from {low.ToString invariant} up to {high.ToString invariant}, with a point"

        field key help expected (fun (value: float) -> value.ToString("R", invariant)) read get set

    let flag key help get set =
        let read (text: string) =
            match text with
            | "true" -> Some true
            | "false" -> Some false
            | _ -> None

        field key help "true or false" (fun (value: bool) -> if value then "true" else "false") read get set

    let private quoted (text: string) = Text.Json.JsonSerializer.Serialize text

    let text key help get set = field key help "a text" quoted Some get set

    let choice key help (names: (string * 'Case) list) (get: RunConfig -> 'Case) set =
        let nameOf case = names |> List.find (fun (_, value) -> value = case) |> fst
        let read text = names |> List.tryFind (fun (name, _) -> name = text) |> Option.map snd
        let all = String.Join(", ", names |> List.map fst)
        field key help $"one of {all}" (nameOf >> quoted) read get set
