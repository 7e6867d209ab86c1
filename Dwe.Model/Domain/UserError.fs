namespace Dwe.Model.Domain

open System

/// What a user or a file can get wrong, closed: every message of the program about wrong input is worded here.
/// Each says what the thing is, what was found, what was expected, and what to do.
/// A programmer's mistakes (shapes, ranks, broken invariants) are `invalidArg` instead.
type UserError =
    | FileMissing of path: string * expected: string * remedy: string
    | FileBroken of path: string * place: string * found: string * expected: string
    | KeyUnknown of place: string * key: string * known: string list
    | ValueInvalid of place: string * key: string * value: string * expected: string
    | CheckpointMismatch of path: string * differences: string list
    | StoreMismatch of path: string * found: string * expected: string * remedy: string
    | ExternalFailed of tool: string * problem: string * remedy: string
    | UsageWrong of problem: string * remedy: string

[<RequireQualifiedAccess>]
module NearestName =

    /// Levenshtein distance over lower-cased characters: insertions, deletions, substitutions cost 1.
    let distance (left: string) (right: string) =
        let left, right = left.ToLowerInvariant(), right.ToLowerInvariant()
        let mutable previous = Array.init (right.Length + 1) id

        for i in 1 .. left.Length do
            let current = Array.zeroCreate (right.Length + 1)
            current[0] <- i

            for j in 1 .. right.Length do
                let substitution = if left[i - 1] = right[j - 1] then 0 else 1
                current[j] <- min (min (current[j - 1] + 1) (previous[j] + 1)) (previous[j - 1] + substitution)

            previous <- current

        previous[right.Length]

    /// Up to three known names, nearest first, of which at most two letters in five differ; compares the last dotted segment too, so `droput` finds `model.dropout`.
    let suggest (key: string) (known: string seq) =
        let lastSegment (name: string) = name.Substring(name.LastIndexOf '.' + 1)
        let score name = min (distance key name) (distance (lastSegment key) (lastSegment name))

        known
        |> Seq.map (fun name -> score name, name)
        |> Seq.filter (fun (score, _) -> score <= max 1 ((lastSegment key).Length * 2 / 5))
        |> Seq.sort
        |> Seq.truncate 3
        |> Seq.map snd
        |> List.ofSeq

[<RequireQualifiedAccess>]
module UserError =

    /// The one line a person reads.
    let message error =
        match error with
        | FileMissing(path, expected, remedy) -> $"{path}: not found; expected {expected}. {remedy}"
        | FileBroken(path, place, found, expected) -> $"{path}: {place}: found {found}, expected {expected}."
        | KeyUnknown(place, key, known) ->
            match NearestName.suggest key known with
            | [] -> let all = String.Join(", ", known) in $"{place}: unknown key '{key}'; known keys: {all}."
            | nearest ->
                let names = String.Join(" or ", nearest) in $"{place}: unknown key '{key}'; did you mean {names}?"
        | ValueInvalid(place, key, value, expected) -> $"{place}: {key} is '{value}', expected {expected}."
        | CheckpointMismatch(path, differences) ->
            let all = String.Join("; ", differences)
            $"checkpoint '{path}' does not fit: {all}."
        | StoreMismatch(path, found, expected, remedy) -> $"{path}: {found}, expected {expected}. {remedy}"
        | ExternalFailed(tool, problem, remedy) -> $"{tool}: {problem}. {remedy}"
        | UsageWrong(problem, remedy) -> (if problem.EndsWith '?' then problem else problem + ".") + " " + remedy

/// Carries a `UserError` through the host to its one catch-all. The core never raises it: the core returns `Result`.
type UserErrorException(error: UserError) =
    inherit Exception(UserError.message error)
    member _.Error = error
