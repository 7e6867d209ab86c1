/// A linker without a model: by names, over the entities of the sample. What it answers is a function of the request alone,
/// the image's bytes included, so that an answer that went to another caller shows.
module internal Dwe.Tests.Host.Service.NameLinker

open System
open System.Collections.Generic
open System.IO
open System.Security.Cryptography
open System.Text.Json
open System.Threading
open Dwe.Host.Linking
open Dwe.Model.Domain
open Dwe.Tests.Prelude

/// A mention that a linker cannot bear.
[<Literal>]
let Poison = "Sebastian Poison"

/// Below this score of the best a mention is NIL.
[<Literal>]
let Threshold = 0.5

let private sample = Path.Combine(Fixtures.repository, "data", "samples")

let private texts (file: string) =
    use json = JsonDocument.Parse(File.ReadAllText(Path.Combine(sample, file)))
    [ for one in json.RootElement.EnumerateObject() -> one.Name, string (one.Value.GetString()) ]

/// (id, name, description) in the sample's order.
let entities =
    lazy
        let descriptions = dict (texts "brief.json")

        [| for id, name in texts "qid2ne.json" ->
               id, name, (descriptions[id].Substring(descriptions[id].IndexOf("[SEP]. ", StringComparison.Ordinal) + 7)) |]

/// A picture of the sample, for every entity whose number is even.
let picture = Path.Combine(sample, "drawn", "images")

let private pictures =
    lazy (Directory.GetFiles(picture, "*.*", SearchOption.AllDirectories) |> Array.sort)

/// 1 for the same letters, less for every one that differs.
let private likeness (mention: string) (name: string) =
    1.0 - float (NearestName.distance mention name) / float (max 1 (max mention.Length name.Length))

/// A number between 0 and 0.001 that another image, sentence or none would change.
let private trace (request: LinkRequest) =
    let image = request.Image |> Option.ofObj |> Option.defaultValue [||]
    let bytes = Array.append (Text.Encoding.UTF8.GetBytes request.Text) image
    float (BitConverter.ToUInt16(SHA256.HashData bytes, 0)) / 65535.0 * 0.001

let private explanation (request: LinkRequest) =
    let part label left right (profile: string | null) =
        SeenPart(
            Label = label,
            Left = left,
            Top = 8.0,
            Right = right,
            Bottom = 90.0,
            Profile = profile,
            Attention = Nullable 0.7
        )

    if isNull request.Image then
        MentionExplanation(Units = [| Contribution("text", 1.0) |])
    else
        MentionExplanation(
            Units = [| Contribution("text", 0.6); Contribution("vision", 0.3); Contribution("attributes", 0.1) |],
            Image = ImageSize(160, 100),
            Parts = [| part "person" 10.0 70.0 "male, 30 to 40, happy"; part "person" 90.0 150.0 null |]
        )

/// What the linker answers, computed without it.
let answer (request: LinkRequest) =
    let wanted = request.Candidates |> Option.ofObj |> Option.map (fun ids -> HashSet<string> ids)

    let scored =
        entities.Value
        |> Array.filter (fun (id, _, _) -> wanted |> Option.forall (fun ids -> ids.Contains id))
        |> Array.map (fun (id, name, description) ->
            likeness request.Mention name + trace request, id, name, description)
        |> Array.sortBy (fun (score, id, _, _) -> -score, id)

    let weight score = exp (10.0 * score)
    let total = scored |> Array.sumBy (fun (score, _, _, _) -> weight score)

    let shares score : Contribution[] | null =
        if request.Explain then
            [| Contribution("text", score - 0.25); Contribution("name", 0.25) |]
        else
            null

    LinkAnswer(
        Mention = request.Mention,
        Compared = scored.Length,
        Nil = (scored.Length = 0 || (let score, _, _, _ = scored[0] in score < Threshold)),
        NilThreshold = Nullable Threshold,
        Explanation = (if request.Explain then explanation request else null),
        Entities =
            [| for score, id, name, description in Array.truncate request.Top scored ->
                   LinkedEntity(
                       Id = id,
                       Name = name,
                       Description = description,
                       Score = score,
                       Probability = weight score / total,
                       Sources = [| (if wanted.IsNone then "lexical" else "given") |],
                       HasImage = (int (id.Substring 1) % 2 = 0),
                       Contributions = shares score
                   ) |]
    )

/// Links, and can be made to wait or to fail.
type NameLinker(run: string) =
    let batches = List<int>()
    let free = new ManualResetEventSlim(true)
    let mutable calls = 0
    let mutable pause = TimeSpan.Zero
    let mutable disposed = false

    /// Sizes of the batches so far.
    member _.Batches = lock batches (fun () -> batches.ToArray())

    /// How many calls were begun.
    member _.Calls = Volatile.Read &calls

    member _.IsDisposed = Volatile.Read &disposed

    /// What every call takes.
    member _.Pause
        with set value = pause <- value

    /// From now on calls wait.
    member _.Hold() = free.Reset()

    /// They wait no more.
    member _.Release() = free.Set()

    interface ILinker with
        member _.Card =
            LinkerCard(Run = run, Index = "sample", Entities = entities.Value.Length, SeesImages = true)

        member _.Link(requests, cancel) =
            Interlocked.Increment &calls |> ignore

            if disposed then
                raise (ObjectDisposedException run)

            free.Wait cancel
            Thread.Sleep pause

            if requests |> Seq.exists (fun request -> request.Mention = Poison) then
                invalidOp $"cannot link «{Poison}»"

            lock batches (fun () -> batches.Add requests.Count)
            [| for request in requests -> answer request |]

        member _.Find id =
            match entities.Value |> Array.tryFind (fun (known, _, _) -> known = id) with
            | None -> null
            | Some(id, name, description) ->
                KnownEntity(
                    Id = id,
                    Name = name,
                    Fields = Dictionary(dict [ "brief", description ]),
                    HasImage = (int (id.Substring 1) % 2 = 0)
                )

        member _.ImageOf id : string | null =
            let number = int (id.Substring 1)

            if number % 2 = 0 then
                pictures.Value[number % pictures.Value.Length]
            else
                null

        member _.Dispose() = disposed <- true
