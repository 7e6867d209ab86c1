/// Makes the drawn sample: `dotnet fsi data/samples/drawn/make.fsx` writes the files beside this script,
/// `--check` writes nothing and exits with 1 where a file on disk differs;
/// `--text-only DIR` writes the data set without pictures there, `--image-only DIR` the one whose sentences say nothing.
///
/// Everything is invented, and every run gives the same bytes: own random numbers, ordinal order, invariant culture.
#load "words.fsx"
#load "pictures.fsx"

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open Drawn
open Drawn.Words

CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

/// Entities of one name, and the length of every candidate list: those four, then others.
let perName, candidateCount = 4, 12
/// Mentions: the picture decides; the sentence decides; both are needed; each of them decides.
let byImage, byText, byBoth, byEither = 96, 96, 64, 44

// ---------------------------------------------------------------------------------------------------- random numbers

/// SplitMix64. Each stage has a stream of its own, named, so that a later stage can be added without moving the others.
type Stream(name: string) =
    let mutable state =
        (14695981039346656037UL, Encoding.UTF8.GetBytes name)
        ||> Array.fold (fun hash byte -> (hash ^^^ uint64 byte) * 1099511628211UL)

    member _.Next() =
        state <- state + 0x9E3779B97F4A7C15UL
        let z = (state ^^^ (state >>> 30)) * 0xBF58476D1CE4E5B9UL
        let z = (z ^^^ (z >>> 27)) * 0x94D049BB133111EBUL
        z ^^^ (z >>> 31)

    member this.Below(bound: int) = int (this.Next() % uint64 bound)
    member this.Between(low, high) = low + this.Below(high - low + 1)
    member this.Pick(items: 'a list) = items[this.Below items.Length]

    member this.Shuffle(items: 'a seq) =
        let items = Array.ofSeq items

        for i in items.Length - 1 .. -1 .. 1 do
            let j = this.Below(i + 1)
            let kept = items[i]
            items[i] <- items[j]
            items[j] <- kept

        List.ofArray items

// ------------------------------------------------------------------------------------------------------------ entities

/// Names of four kinds, two of them of each topic; and names of two kinds, each of both topics, for which a picture and a
/// topic leave two entities each and one together.
type Family =
    | FourKinds
    | TwoKinds

type Entity =
    { Id: string
      Name: string
      Family: Family
      Kind: Meaning
      Topic: Meaning
      Description: string
      Image: string }

let entities =
    let stream = Stream "drawn entities"
    let used = Dictionary<string, int>()

    let uses (item: Meaning) =
        match used.TryGetValue item.Label with
        | true, count -> count
        | _ -> 0

    /// Those used least come first, so that all occur about equally often.
    let deal count weight items =
        let chosen = stream.Shuffle items |> List.sortBy uses |> List.take count

        for item in chosen do
            used[item.Label] <- uses item + weight

        chosen

    [ for index, name in List.indexed names do
          let family = if index % 2 = 0 then FourKinds else TwoKinds
          let topics = deal 2 2 topics

          match family with
          | FourKinds -> for kind, topic in List.zip (deal 4 1 kinds) (topics @ topics) -> name, family, kind, topic
          | TwoKinds ->
              for kind in deal 2 2 kinds do
                  for topic in topics -> name, family, kind, topic ]
    |> stream.Shuffle
    |> List.mapi (fun index (name, family, kind, topic) ->
        let id = $"D{index + 1:D3}"

        { Id = id
          Name = name
          Family = family
          Kind = kind
          Topic = topic
          Description = stream.Pick kind.Describe + " " + stream.Pick topic.Describe
          Image = $"images/entities/{id}.svg" })

let entityPicture =
    let stream = Stream "drawn portraits"

    let pictures =
        Map.ofList
            [ for entity in entities ->
                  entity.Id,
                  Pictures.portrait
                      (stream.Pick Pictures.entityGrounds)
                      entity.Kind.Label
                      (stream.Pick Pictures.entityPalettes) ]

    fun entity -> pictures[entity.Id]

// ------------------------------------------------------------------------------------------------------------ mentions

type Split =
    | Train
    | Dev
    | Test

type Picture =
    | NoPicture
    | Neutral
    | Shows of kind: string

/// What decides, what the sentence says, what the picture shows.
type Mention =
    { Key: string
      Split: Split
      DecidedBy: string
      Gold: Entity
      Sentence: string
      SaysKind: string
      SaysTopic: string
      Picture: Picture }

/// No wording occurs in two splits.
let wordings split (say: string list) =
    match split, say with
    | Dev, dev :: _ -> [ dev ]
    | Test, _ :: test :: _ -> [ test ]
    | Train, _ :: _ :: train -> train
    | _ -> invalidOp "too few wordings"

/// Entities in turn, each about equally often, in a random order.
let rota (stream: Stream) count (items: Entity list) =
    List.init (count / items.Length + 1) (fun _ -> stream.Shuffle items)
    |> List.concat
    |> List.take count

/// Three fifths for train, a fifth each for dev and test.
let splitOf index count =
    if 5 * index < 3 * count then Train
    elif 5 * index < 4 * count then Dev
    else Test

let mentions =
    let stream = Stream "drawn mentions"
    let written = HashSet<string * string>()
    let ofFamily family = entities |> List.filter (fun entity -> entity.Family = family)

    let sentence split entity saysKind saysTopic =
        let start = if saysKind then entity.Kind.Say else vague
        let finish = if saysTopic then entity.Topic.Say else vagueEnds

        (stream.Pick(wordings split start) + stream.Pick(wordings split finish)).Replace("{m}", entity.Name)
        + "."

    /// A sentence that this entity does not have yet, if there is one.
    let fresh split entity saysKind saysTopic =
        let tries = List.init 20 (fun _ -> sentence split entity saysKind saysTopic)

        tries
        |> List.tryFind (fun text -> written.Add(text, entity.Id))
        |> Option.defaultValue (List.head tries)

    let draft decidedBy saysKind saysTopic picture split entity =
        { Key = ""
          Split = split
          DecidedBy = decidedBy
          Gold = entity
          Sentence = fresh split entity saysKind saysTopic
          SaysKind = if saysKind then entity.Kind.Label else ""
          SaysTopic = if saysTopic then entity.Topic.Label else ""
          Picture = picture }

    let group count items make =
        rota stream count items |> List.mapi (fun index entity -> make index (splitOf index count) entity)

    let shown entity = Shows entity.Kind.Label

    [ group byImage (ofFamily FourKinds) (fun index split entity ->
          draft "image" false (index % 2 = 0) (shown entity) split entity)
      group byText entities (fun index split entity ->
          draft "text" true true (if index % 2 = 0 then Neutral else NoPicture) split entity)
      group byBoth (ofFamily TwoKinds) (fun _ split entity -> draft "both" false true (shown entity) split entity)
      group byEither (ofFamily FourKinds) (fun _ split entity -> draft "either" true true (shown entity) split entity) ]
    |> List.concat
    |> stream.Shuffle
    |> List.mapi (fun index mention -> { mention with Key = $"m{index + 1:D3}" })

// ------------------------------------------------------------------------------------------------------------ pictures

let wholeOf mention = $"images/{mention.Key}.svg"
/// Where the published pipeline puts what it cuts out, in its own spelling.
let partOf mention = $"wiki_segement/{mention.Key}.svg"

let imagesOf mention =
    match mention.Picture with
    | NoPicture -> []
    | Neutral -> [ wholeOf mention ]
    | Shows _ -> [ wholeOf mention; partOf mention ]

let pictures =
    let stream = Stream "drawn pictures"

    [ for mention in mentions do
          let background = stream.Pick Pictures.backgrounds (stream.Below 40) (stream.Below 40)
          let colours = stream.Pick Pictures.palettes

          let place: Pictures.Place =
              { X = stream.Between(40, 60)
                Y = stream.Between(46, 58)
                Percent = stream.Between(62, 88)
                Tilt = stream.Between(-8, 8) }

          match mention.Picture with
          | NoPicture -> ()
          | Neutral -> wholeOf mention, Pictures.neutral background
          | Shows kind ->
              wholeOf mention, Pictures.scene background kind colours place
              partOf mention, Pictures.cutOut kind colours place ]
    @ [ for entity in entities -> entity.Image, entityPicture entity ]

// ------------------------------------------------------------------------------------------------------------- ceilings

/// The entities of the mention's name that its sentence leaves; all four where it says nothing.
let fitText mention =
    entities
    |> List.filter (fun entity ->
        entity.Name = mention.Gold.Name
        && (mention.SaysKind = "" || entity.Kind.Label = mention.SaysKind)
        && (mention.SaysTopic = "" || entity.Topic.Label = mention.SaysTopic))

/// Those that its picture leaves; all four where it has none, or one that shows none of them.
let fitImage mention =
    entities
    |> List.filter (fun entity ->
        entity.Name = mention.Gold.Name
        && match mention.Picture with
           | Shows kind -> entity.Kind.Label = kind
           | _ -> true)

let fitBoth mention =
    let image = fitImage mention
    fitText mention |> List.filter (fun entity -> List.contains entity image)

/// Expected hits@1 of a perfect reader who guesses among what is left.
let ceiling (fit: Mention -> Entity list) mentions =
    mentions |> List.averageBy (fun mention -> 1.0 / float (fit mention).Length)

// ---------------------------------------------------------------------------------------------------------- candidates

let trigrams (text: string) = $"  {text.ToLowerInvariant()} " |> Seq.windowed 3 |> Seq.map String |> Set.ofSeq

/// How much two names look alike: Dice over trigrams of letters.
let similarity (a: string) (b: string) =
    let a, b = trigrams a, trigrams b
    2.0 * float (Set.intersect a b).Count / float (a.Count + b.Count)

/// The names closest to the mention, ties in the order of ids. The answer plays no part.
let candidates mention =
    entities
    |> List.sortBy (fun entity -> -(similarity mention entity.Name), entity.Id)
    |> List.take candidateCount
    |> List.map _.Id

// --------------------------------------------------------------------------------------------------------------- files

let jsonLine (write: Utf8JsonWriter -> unit) =
    use stream = new MemoryStream()
    let options = JsonWriterOptions(Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping)

    using (new Utf8JsonWriter(stream, options)) (fun writer ->
        writer.WriteStartObject()
        write writer
        writer.WriteEndObject())

    Encoding.UTF8.GetString(stream.ToArray()) + "\n"

let texts (name: string) (values: string list) (writer: Utf8JsonWriter) =
    writer.WriteStartArray name

    for value in values do
        writer.WriteStringValue value

    writer.WriteEndArray()

let shows mention =
    match mention.Picture with
    | Shows kind -> kind
    | _ -> ""

/// `decided_by` to `shows` are for people and tests: no reader of data sets looks at them.
let mentionLine withImages withText mention =
    jsonLine (fun writer ->
        writer.WriteString("key", mention.Key)
        writer.WriteString("mention", mention.Gold.Name)
        writer.WriteString("sentence", (if withText then mention.Sentence else mention.Gold.Name))
        texts "images" (if withImages then imagesOf mention else []) writer
        writer.WriteString("entity", mention.Gold.Id)
        writer.WriteString("decided_by", mention.DecidedBy)
        writer.WriteString("says_kind", mention.SaysKind)
        writer.WriteString("says_topic", mention.SaysTopic)
        writer.WriteString("shows", shows mention))

let entityLine entity =
    jsonLine (fun writer ->
        writer.WriteString("id", entity.Id)
        writer.WriteString("name", entity.Name)
        writer.WriteString("type", entity.Kind.Label)
        writer.WriteString("description", entity.Description)
        writer.WriteString("topic", entity.Topic.Label)
        texts "images" [ entity.Image ] writer)

let splits = [ Train, "train"; Dev, "dev"; Test, "test" ]
let inSplit split = mentions |> List.filter (fun mention -> mention.Split = split)

let searchFile =
    let lists =
        [ for name in names ->
              let ids = candidates name |> List.map (fun id -> $"\"{id}\"")
              $" \"{name}\": [" + String.Join(", ", ids) + "]" ]

    "{\n" + String.Join(",\n", lists) + "\n}\n"

/// No picture has persons: so the nets that look for them, and see frisbees in suns, are not asked.
let partsFile =
    let keys =
        [ for mention in mentions do
              if mention.Picture <> NoPicture then
                  $" \"{mention.Key}\": []" ]

    "{\n" + String.Join(",\n", keys) + "\n}\n"

let tables withImages withText =
    [ for split, name in splits do
          $"{name}.jsonl", inSplit split |> List.map (mentionLine withImages withText) |> String.concat ""
      "entities.jsonl", entities |> List.sortBy _.Id |> List.map entityLine |> String.concat ""
      "search_top100.json", searchFile
      if withImages then
          "total2part_map.json", partsFile ]

// -------------------------------------------------------------------------------------------------------------- numbers

let numbers =
    let percent value = $"{100.0 * value:F1}"
    let count test items = items |> List.filter test |> List.length
    let decided way = mentions |> count (fun mention -> mention.DecidedBy = way)
    let image, text, both, either = decided "image", decided "text", decided "both", decided "either"
    let picture test = mentions |> count (fun mention -> test mention.Picture)

    [ $"- {entities.Length} entities of {kinds.Length} kinds and {topics.Length} topics; {names.Length} names, each of {perName}."
      $"- {mentions.Length} mentions. What decides: the image {image}, the sentence {text}, only both together {both}, either {either}."
      $"- {picture (fun p -> p = NoPicture)} mentions without image, {picture (fun p -> p = Neutral)} with one that shows none of the kinds."
      $"- {pictures.Length} pictures; {candidateCount} candidates for each name."
      ""
      "| | mentions | uniform draw of the list | lexical top-1 | ceiling, text alone | ceiling, image alone | ceiling, both |"
      "|---|---|---|---|---|---|---|"
      for split, name in splits do
          let own = inSplit split
          let first = own |> count (fun mention -> List.head (candidates mention.Gold.Name) = mention.Gold.Id)

          $"| {name} | {own.Length} | {percent (1.0 / float candidateCount)} | {percent (float first / float own.Length)}"
          + $" | {percent (ceiling fitText own)} | {percent (ceiling fitImage own)} | {percent (ceiling fitBoth own)} |" ]

/// The README keeps its prose; the lines between the two marks are these numbers.
let readmeFile (current: string) =
    let start, stop = "<!-- numbers: written by make.fsx -->\n", "<!-- end of numbers -->"

    let a, b =
        current.IndexOf(start, StringComparison.Ordinal), current.IndexOf(stop, StringComparison.Ordinal)

    if a < 0 || b < a then
        invalidOp "README.md has lost the marks of its numbers"

    current.Substring(0, a + start.Length) + String.Join("\n", numbers) + "\n" + current.Substring b

let write (folder: string) (name: string) (content: string) =
    let path = Path.Combine(folder, name)
    Directory.CreateDirectory(Path.GetDirectoryName path) |> ignore
    File.WriteAllText(path, content)

let arguments = List.ofArray fsi.CommandLineArgs |> List.tail

match arguments with
| [ "--text-only"; folder ] ->
    for name, content in tables false true do
        write folder name content
| [ "--image-only"; folder ] ->
    for name, content in tables true false @ pictures do
        write folder name content
| []
| [ "--check" ] ->
    let here = __SOURCE_DIRECTORY__
    let check = not arguments.IsEmpty
    let readme = File.ReadAllText(Path.Combine(here, "README.md"))
    let files = ("README.md", readmeFile readme) :: tables true true @ pictures

    let differing =
        [ for name, content in files do
              let path = Path.Combine(here, name)

              if not (File.Exists path && File.ReadAllBytes path = Encoding.UTF8.GetBytes content) then
                  name ]

    let known = files |> List.map fst |> Set.ofList

    /// Pictures of an earlier version.
    let left =
        [ for folder in [ "images"; "wiki_segement" ] |> List.map (fun name -> Path.Combine(here, name)) do
              if Directory.Exists folder then
                  for path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) do
                      let name = Path.GetRelativePath(here, path).Replace('\\', '/')

                      if not (known.Contains name) then
                          name ]

    for line in numbers do
        printfn "%s" line

    for name in differing @ left do
        if check then
            eprintfn "%s differs from what make.fsx makes" name

    if check then
        exit (if differing.IsEmpty && left.IsEmpty then 0 else 1)

    for name, content in files do
        if List.contains name differing then
            write here name content

    for name in left do
        File.Delete(Path.Combine(here, name))

    printfn "%d files written, %d removed" differing.Length left.Length
| _ ->
    eprintfn "make.fsx [--check | --text-only DIR | --image-only DIR]"
    exit 2
