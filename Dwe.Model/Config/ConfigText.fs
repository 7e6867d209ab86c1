namespace Dwe.Model.Config

open System
open System.Text.Json
open Dwe.Model.Domain

/// Configuration from and to text. Whatever is not said keeps the value it had.
[<RequireQualifiedAccess>]
module ConfigText =

    let private assign place key text config =
        match Fields.all |> List.tryFind (fun field -> field.Key = key) with
        | None -> Error(KeyUnknown(place, key, Fields.keys))
        | Some field ->
            match field.Read text config with
            | Some changed -> Ok changed
            | None -> Error(ValueInvalid(place, key, text, field.Expected))

    let private fold change (config: Result<RunConfig, UserError>) items =
        items |> Seq.fold (fun config item -> Result.bind (change item) config) config

    /// What only the fields together can get wrong, each with the key that is to be changed, its text and what was expected.
    let private contradictions (config: RunConfig) =
        let model, loss = config.Model, config.Loss
        let isDualWay = model.Kind = DualWay
        let isSampling = loss.MatchingWeight > 0.0 && loss.Negatives = Sampled
        let learnsScore = loss.Candidates > 0 && loss.LinkingWeight > 0.0

        [ if model.Hidden % model.Heads <> 0 then
              "model.heads", string model.Heads, $"a divisor of model.hidden ({model.Hidden})"
          if not isDualWay && loss.Matching <> NPairLoss then
              "loss.matching", "not n-pair", "n-pair, or model.kind dwe"
          if isDualWay && isSampling && loss.Candidates = 0 then
              "loss.candidates", "0", "at least 1, since loss.negatives is sampled"
          if isDualWay && model.Units.Lexical && not learnsScore then
              "model.lexical_unit",
              "true",
              "false, or loss.candidates and loss.linking_weight above 0, by which it learns"
          if isDualWay && not model.Units.Match && not model.Units.Lexical then
              "model.match", "false", "true, or model.lexical_unit true: nothing else makes a score" ]

    let private validate place (config: RunConfig) =
        match contradictions config with
        | [] -> Ok config
        | (key, value, expected) :: _ -> Error(ValueInvalid(place, key, value, expected))

    /// `key=value`, as `--set` takes them.
    let set (config: RunConfig) (assignments: string seq) : Result<RunConfig, UserError> =
        let change (assignment: string) config =
            match assignment.IndexOf '=' with
            | -1 -> Error(ValueInvalid("--set", "argument", assignment, "key=value"))
            | split ->
                assign "--set" (assignment.Substring(0, split).Trim()) (assignment.Substring(split + 1).Trim()) config

        fold change (Ok config) assignments |> Result.bind (validate "--set")

    /// The leaves of a JSON object with their dotted keys.
    let rec private leaves prefix (element: JsonElement) =
        match element.ValueKind with
        | JsonValueKind.Object ->
            element.EnumerateObject()
            |> Seq.collect (fun property ->
                let key =
                    if prefix = "" then
                        property.Name
                    else
                        $"{prefix}.{property.Name}"

                leaves key property.Value)
            |> List.ofSeq
        | JsonValueKind.String -> [ prefix, string (element.GetString()) ]
        | _ -> [ prefix, element.GetRawText() ]

    /// A JSON object of nested keys over `config`. `path` is only used in errors.
    let overlay (config: RunConfig) (path: string) (json: JsonElement) : Result<RunConfig, UserError> =
        if json.ValueKind <> JsonValueKind.Object then
            Error(FileBroken(path, "top level", json.ValueKind.ToString(), "a JSON object of configuration keys"))
        else
            fold (fun (key, text) config -> assign path key text config) (Ok config) (leaves "" json)
            |> Result.bind (validate path)

    /// The whole configuration as indented JSON, every key in the table's order.
    let write (config: RunConfig) : string =
        let section (field: Field) = field.Key.Substring(0, field.Key.IndexOf '.')
        let name (field: Field) = field.Key.Substring(field.Key.IndexOf '.' + 1)
        let line field = $"    \"{name field}\": {field.Write config}"

        let block (title, fields) =
            let lines = String.Join(",\n", fields |> List.map line)
            $"  \"{title}\": {{\n{lines}\n  }}"

        let blocks = Fields.all |> List.groupBy section |> List.map block
        "{\n" + String.Join(",\n", blocks) + "\n}\n"

    /// Key, value, meaning and expectation of every field: for `dwe config` and the documentation.
    let describe (config: RunConfig) =
        [ for field in Fields.all -> struct (field.Key, field.Write config, field.Help, field.Expected) ]
