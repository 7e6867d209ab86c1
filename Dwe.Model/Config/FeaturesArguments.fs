namespace Dwe.Model.Config

open System
open Argu
open Dwe.Model.Domain

/// The options of `dwe features`.
type FeaturesArguments =
    | [<Mandatory; Unique>] Data of folder: string
    | [<Mandatory; Unique>] Out of store: string
    | [<Unique; CustomCommandLine "--entity-text">] Entity_Text of template: string
    | [<Unique>] Splits of names: string
    | Reuse of store: string

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ -> "the folder of the data set"
            | Out _ -> "the feature store: made, continued, or brought up to date"
            | Entity_Text _ ->
                "what an entity's text is made of, fields in braces, e.g. '{name} [SEP] {brief|property}'; "
                + "left out: the first of the data set's description fields"
            | Splits _ -> "splits to encode, separated by commas; left out: all that the data set has"
            | Reuse _ -> "another store whose vectors may be used; may be given several times"

/// What `dwe features` is asked for. Null where it was left to the program.
type FeaturesRequest =
    {
        Data: string
        Store: string
        EntityText: string | null
        /// Empty for all that the data set has.
        Splits: string[]
        Reuse: string[]
    }

/// A command line as it was understood.
type FeaturesCommandLine =
    | Asked of FeaturesRequest
    | Help of text: string
    | Wrong of UserError

    /// Reads what follows the verb.
    static member Parse(argv: string[]) : FeaturesCommandLine =
        let parser = ArgumentParser.Create<FeaturesArguments>(programName = "dwe features")

        try
            let results = parser.ParseCommandLine argv

            Asked
                { Data = results.GetResult Data
                  Store = results.GetResult Out
                  EntityText = results.TryGetResult Entity_Text |> Option.toObj
                  Splits =
                    match results.TryGetResult Splits with
                    | None -> [||]
                    | Some names ->
                        names.Split(',', StringSplitOptions.TrimEntries ||| StringSplitOptions.RemoveEmptyEntries)
                  Reuse = results.GetResults Reuse |> Array.ofList }
        with :? ArguParseException as problem ->
            if problem.ErrorCode = ErrorCode.HelpText then
                Help problem.Message
            else
                let firstLine = problem.Message.Split('\n')[0]

                Wrong(
                    UsageWrong(
                        firstLine.Replace("ERROR: ", "").Trim().TrimEnd('.'),
                        "`dwe features --help` shows the options."
                    )
                )
