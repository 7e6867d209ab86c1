namespace Dwe.Model


open System.Collections.Generic
open System.Text.Json
open Dwe.Model.Config
open Dwe.Model.Domain

/// The words of the command line as a command.
[<AbstractClass; Sealed>]
type CommandLine =
    static member Parse(words: string[]) : Result<Command, UserError> = CommandLine.parse words

/// Configurations from and to text; see `dwe config` for every key.
[<AbstractClass; Sealed>]
type Configuration =
    static member Defaults: RunConfig = RunConfig.Defaults

    /// The keys of a JSON file over `config`. `path` is only named in errors.
    static member Overlay(config: RunConfig, path: string, json: JsonElement) : Result<RunConfig, UserError> =
        ConfigText.overlay config path json

    /// `key=value` assignments over `config`.
    static member Set(config: RunConfig, assignments: IEnumerable<string>) : Result<RunConfig, UserError> =
        ConfigText.set config assignments

    static member Write(config: RunConfig) : string = ConfigText.write config

    /// Key, value, meaning and expectation of every field.
    static member Describe(config: RunConfig) : IReadOnlyList<struct (string * string * string * string)> =
        ConfigText.describe config
