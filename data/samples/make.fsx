/// Makes the sample: `dotnet fsi data/samples/make.fsx` writes the files beside this script,
/// `dotnet fsi data/samples/make.fsx --check` writes nothing and exits with 1 where a file on disk differs.
///
/// Everything is invented, and every run gives the same bytes: own random numbers, ordinal order, invariant culture.
#load "domains/model.fsx"
#load "domains/names.fsx"
#load "domains/people.fsx"
#load "domains/things.fsx"

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Text
open System.Text.Encodings.Web
open System.Text.Json
open Sample.Model
open Sample.Names

CultureInfo.CurrentCulture <- CultureInfo.InvariantCulture

/// Length of every candidate list.
let candidateCount = 30
/// Mentions of a seen entity in train, mentions in dev and in test, and how many of those are of unseen entities.
let trainPerEntity, devCount, testCount = 5, 152, 152
let unseenShare = 0.25
/// Share of sentences that mention two entities.
let pairShare = 0.05

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
    member this.Chance(share: float) = float (this.Next() >>> 11) / float (1UL <<< 53) < share
    member this.Pick(items: 'a list) = items[this.Below items.Length]

    member this.Shuffle(items: 'a seq) =
        let items = Array.ofSeq items

        for i in items.Length - 1 .. -1 .. 1 do
            let j = this.Below(i + 1)
            let kept = items[i]
            items[i] <- items[j]
            items[j] <- kept

        List.ofArray items

    /// One of the weighted items.
    member this.Weighted(items: (int * 'a) list) =
        let rec take left =
            function
            | [] -> invalidOp "no items"
            | (weight, item) :: rest -> if left < weight then item else take (left - weight) rest

        take (this.Below(List.sumBy fst items)) items

// ------------------------------------------------------------------------------------------------------------ entities

/// A way to mention an entity: the string itself, the article a sentence puts before it, how often it is used.
type Form = { Mention: string; Article: string; Weight: int }

type Entity =
    {
        Id: string
        Name: string
        Kind: Kind
        Variant: Variant
        Sex: Sex option
        Home: string
        /// Birth of a person, anything memorable of a thing.
        Year: int
        Phrase: string
        Where: string
        Forms: Form list
    }

let form weight article mention = { Mention = mention; Article = article; Weight = weight }

let personForms (first: string) nick surname =
    [ form 54 "" surname
      form 18 "" $"{first} {surname}"
      form 10 "" $"{first[0]}. {surname}"
      form 8 "" $"{nick} {surname}"
      form 6 "" first
      form 4 "" nick ]

let thingForms (kind: Kind) shortName article name =
    if shortName = name then
        [ form 1 kind.ShortArticle name ]
    else
        [ form 7 kind.ShortArticle shortName; form 3 article name ]

let draft name kind variant sex forms =
    { Id = ""
      Name = name
      Kind = kind
      Variant = variant
      Sex = sex
      Home = ""
      Year = 0
      Phrase = ""
      Where = ""
      Forms = forms }

/// Deals the variants of these kinds to the base names, so many to each: the variants used least come first; a base
/// gets a kind twice (never a variant twice) only now and then, for homonyms that only a detail tells apart.
let deal (stream: Stream) perBase (kinds: Kind list) =
    let all =
        [ for kind in kinds do
              for variant in kind.Variants -> kind, variant ]

    let used = Dictionary<string, int>()
    let key (kind: Kind, variant: Variant) = kind.Name + "/" + variant.Label

    let uses pair =
        match used.TryGetValue(key pair) with
        | true, n -> n
        | _ -> 0

    [ for name in bases do
          let twinsAllowed = stream.Chance 0.2

          let rec draw chosen =
              if List.length chosen = perBase then
                  chosen
              else
                  let fits (kind: Kind, variant) =
                      chosen
                      |> List.forall (fun (other: Kind, taken: Variant) ->
                          other.Name <> kind.Name || (twinsAllowed && taken.Label <> variant.Label))

                  let pair = stream.Shuffle all |> List.filter fits |> List.minBy uses
                  used[key pair] <- uses pair + 1
                  draw (pair :: chosen)

          name, draw [] ]

let persons =
    let stream = Stream "persons"

    [ for surname, pairs in deal stream 3 Sample.People.kinds do
          // Two of the three often share their whole name.
          let drawn = stream.Shuffle firstNames |> List.take 3

          let names =
              if stream.Chance 0.5 then
                  [ drawn[0]; drawn[0]; drawn[1] ]
              else
                  drawn

          for (kind, variant), (first, nick, sex) in List.zip pairs names ->
              draft $"{first} {surname}" kind variant (Some sex) (personForms first nick surname) ]

let things =
    let stream = Stream "things"

    [ for name, pairs in deal stream 3 Sample.Things.kinds do
          for kind, variant in pairs do
              let article, pattern = stream.Pick kind.Patterns
              let full = pattern.Replace("{b}", name)
              draft full kind variant None (thingForms kind name article full) ]

let bodies =
    let stream = Stream "acronyms"
    let kinds = Sample.Things.kinds |> List.map (fun kind -> kind.Name, kind) |> Map.ofList

    [ for letters, kindName, article, name in acronyms do
          let kind = kinds[kindName]
          draft name kind (stream.Pick kind.Variants) None (thingForms kind letters article name) ]

/// All entities, numbered in an order that tells nothing.
let entities =
    let stream = Stream "details"
    let homesTaken = HashSet<string>()

    persons @ things @ bodies
    |> stream.Shuffle
    |> List.mapi (fun index entity ->
        // Entities of one variant live in different places.
        let home =
            stream.Shuffle homes |> List.find (fun home -> homesTaken.Add(entity.Variant.Label + "@" + home))

        { entity with
            Id = $"S{index + 1:D4}"
            Home = home
            Year =
                if entity.Kind.IsPerson then
                    stream.Between(1890, 1972)
                else
                    stream.Between(1905, 2012)
            Phrase = stream.Pick entity.Variant.Describe
            Where = stream.Pick entity.Kind.Where })

// -------------------------------------------------------------------------------------------------------- descriptions

let capital (text: string) = string (Char.ToUpperInvariant text[0]) + text.Substring 1

/// Fills everything but the mention.
let fill (entity: Entity) (year: int) (text: string) =
    let he, his, him =
        match entity.Sex with
        | Some Female -> "she", "her", "her"
        | Some Male -> "he", "his", "him"
        | None -> "it", "its", "it"

    text
        .Replace("{home}", entity.Home)
        .Replace("{year}", string year)
        .Replace("{He}", capital he)
        .Replace("{he}", he)
        .Replace("{his}", his)
        .Replace("{him}", him)

let brief entity =
    let lead =
        if entity.Kind.IsPerson then
            "{He} was " + entity.Phrase
        else
            capital entity.Phrase

    fill entity entity.Year $"{entity.Name} [SEP]. {lead}. {entity.Where}"

let property entity =
    let facts =
        match entity.Sex with
        | Some sex ->
            let sex = if sex = Female then "female" else "male"

            [ $"Sex: {sex}"
              $"Birth: {entity.Year}, {entity.Home}"
              entity.Kind.Fact
              $"Field: {entity.Variant.Label}" ]
        | None -> [ entity.Kind.Fact; $"Type: {entity.Variant.Label}"; $"Place: {entity.Home}" ]

    let facts = String.Join(". ", facts)
    $"{entity.Name} [SEP]. {facts}."

// ------------------------------------------------------------------------------------------------------------ sentences

type Mention = { Text: string; Gold: Entity }

type Record =
    {
        RecordId: string
        Sentence: string
        Mentions: Mention list
        /// Path of a picture, for records where the picture decides what the sentence leaves open.
        Image: string option
    }

let words (text: string) = text.Split(' ', StringSplitOptions.RemoveEmptyEntries)

/// Whether a reader who knows the name only may take the mention for this entity.
let mayMean (mention: string) entity =
    entity.Forms |> List.exists (fun form -> form.Mention = mention)
    || words mention |> Array.forall (fun word -> words entity.Name |> Array.contains word)

/// Forms of an entity which no other entity of the same variant shares: what the sentence says decides.
let decidableForms =
    let find entity =
        entity.Forms
        |> List.filter (fun form ->
            entities
            |> List.forall (fun other ->
                other.Id = entity.Id
                || other.Variant.Label <> entity.Variant.Label
                || not (mayMean form.Mention other)))

    let known = entities |> List.map (fun entity -> entity.Id, find entity) |> Map.ofList
    fun entity -> known[entity.Id]

type Split =
    | Train
    | Dev
    | Test

/// The wordings of a variant that a split may use. No wording occurs in two splits.
let wordings =
    let stream = Stream "wordings"

    let known =
        Map.ofList
            [ for kind in Sample.People.kinds @ Sample.Things.kinds do
                  for variant in kind.Variants -> variant.Label, stream.Shuffle variant.Contexts ]

    fun split (variant: Variant) ->
        match split, known[variant.Label] with
        | Dev, dev :: _ -> [ dev ]
        | Test, _ :: test :: _ -> [ test ]
        | Train, _ :: _ :: train -> train
        | _ -> invalidOp $"{variant.Label} has too few contexts"

/// What a caption may add at the end.
let tails =
    [ 66, ""
      8, " (picture of {year})"
      8, ", according to the {home} Almanac"
      6, ", wrote the {home} Gazette in {year}"
      6, " – drawing, {year}"
      6, ", from a brochure of {home}" ]

/// A sentence that goes on after a semicolon.
let continued (mention: Mention) (text: string) =
    if text.StartsWith(mention.Text, StringComparison.Ordinal) || Char.IsUpper text[1] then
        text
    else
        string (Char.ToLowerInvariant text[0]) + text.Substring 1

let occurrences (part: string) (text: string) = text.Split(part).Length - 1

/// One sentence without its full stop, and its mention.
let rec sentence (stream: Stream) wording tail entity =
    let form = stream.Weighted(decidableForms entity |> List.map (fun form -> form.Weight, form))

    let year =
        if entity.Kind.IsPerson then
            entity.Year + stream.Between(22, 40)
        else
            entity.Year

    let text = (fill entity year (wording + tail)).Replace("{m}", form.Article + form.Mention)

    if occurrences form.Mention text = 1 then
        capital text, { Text = form.Mention; Gold = entity }
    else
        sentence stream wording tail entity

/// Entities that train never mentions; another entity of their variant is mentioned there.
let unseen =
    let stream = Stream "unseen"

    entities
    |> List.groupBy (fun entity -> entity.Variant.Label)
    |> List.collect (fun (_, group) -> stream.Shuffle group |> List.skip 1)
    |> stream.Shuffle
    |> List.take (entities.Length / 4)
    |> List.map _.Id
    |> Set.ofList

let isUnseen entity = unseen.Contains entity.Id

/// Which entity is mentioned with which wording.
let plan split =
    let stream = Stream $"plan {split}"
    let fresh, known = entities |> List.partition isUnseen

    match split with
    | Train ->
        [ for entity in known do
              let own = wordings Train entity.Variant |> stream.Shuffle
              for i in 0 .. trainPerEntity - 1 -> entity, own[i % own.Length] ]
    | Dev
    | Test ->
        let count = if split = Dev then devCount else testCount
        let ofFresh = int (float count * unseenShare)

        (stream.Shuffle fresh |> List.take ofFresh) @ (stream.Shuffle known |> List.take (count - ofFresh))
        |> List.map (fun entity -> entity, List.exactlyOne (wordings split entity.Variant))
    |> stream.Shuffle

/// Whether two sentences may stand side by side without one lending its context to the mention of the other.
let mayPair (_, a) (_, b) =
    let apart mention (other: Entity) =
        entities
        |> List.forall (fun entity -> entity.Kind.Name <> other.Kind.Name || not (mayMean mention entity))

    apart a.Text b.Gold && apart b.Text a.Gold

let records split =
    let stream = Stream $"records {split}"
    let written = HashSet<string>()

    /// A sentence that this split does not have yet.
    let rec fresh (entity, wording) =
        let text, mention = sentence stream wording (stream.Weighted tails) entity

        if written.Add text then
            text, mention
        else
            fresh (entity, wording)

    let rec join =
        function
        | [] -> []
        | first :: second :: rest when stream.Chance(2.0 * pairShare) ->
            let plain (entity, wording) = sentence stream wording "" entity
            let a, b = plain first, plain second
            let text = fst a + "; " + continued (snd b) (fst b)

            let clear = [ snd a; snd b ] |> List.forall (fun mention -> occurrences mention.Text text = 1)

            if clear && mayPair a b && written.Add text then
                (text, [ snd a; snd b ]) :: join rest
            else
                single first :: join (second :: rest)
        | first :: rest -> single first :: join rest

    and single item =
        let text, mention = fresh item
        text, [ mention ]

    join (plan split)

/// The picture of a record. There are none yet: drawn pictures, for mentions that their sentence leaves open, go here
/// (a stream named "images" of their own leaves all text as it is), and their files into `images/`.
let imageOf (_id: string) (_mentions: Mention list) : string option = None

let splits =
    let mutable number = 0

    [ for split, file in [ Train, "train.json"; Dev, "dev.json"; Test, "test.json" ] ->
          split,
          file,
          [ for text, mentions in records split do
                number <- number + 1
                let id = string number

                { RecordId = id
                  Sentence = text + "."
                  Mentions = mentions
                  Image = imageOf id mentions } ] ]

// ---------------------------------------------------------------------------------------------------------- candidates

let trigrams (text: string) =
    words (text.ToLowerInvariant())
    |> Seq.collect (fun word -> $"  {word} " |> Seq.windowed 3 |> Seq.map String)
    |> Set.ofSeq

/// How much a name looks like a mention, from the two strings alone: letters in common (Dice over trigrams of letters),
/// words in common, or initials. Knows neither the sentence nor the answer.
let similarity =
    let grams = Dictionary<string, Set<string>>()

    let gramsOf text =
        match grams.TryGetValue text with
        | true, known -> known
        | _ ->
            grams[text] <- trigrams text
            grams[text]

    fun (mention: string) (name: string) ->
        let a, b = gramsOf mention, gramsOf name
        let dice = 2.0 * float (Set.intersect a b).Count / float (a.Count + b.Count)
        let parts = words mention
        let shared = parts |> Array.filter (fun part -> Array.contains part (words name)) |> Array.length
        let initials = words name |> Array.map (fun word -> word[0]) |> String
        let spelled = if initials = mention then 0.9 else 0.0
        max spelled (0.5 * dice + 0.5 * float shared / float parts.Length)

/// The names closest to the mention, ties in the order of ids.
let candidates (mention: string) =
    entities
    |> List.sortBy (fun entity -> -(similarity mention entity.Name), entity.Id)
    |> List.take candidateCount
    |> List.map _.Id

let search =
    [ for _, _, records in splits do
          for record in records do
              for mention in record.Mentions -> mention.Text ]
    |> List.distinct
    |> List.sortWith (fun a b -> String.CompareOrdinal(a, b))
    |> List.map (fun mention -> mention, candidates mention)

// --------------------------------------------------------------------------------------------------------------- files

let json (write: Utf8JsonWriter -> unit) =
    use stream = new MemoryStream()

    let options =
        JsonWriterOptions(
            Indented = true,
            IndentSize = 1,
            NewLine = "\n",
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping
        )

    using (new Utf8JsonWriter(stream, options)) write
    Encoding.UTF8.GetString(stream.ToArray()) + "\n"

let dictionary (pairs: (string * string) list) =
    json (fun writer ->
        writer.WriteStartObject()

        for key, value in pairs do
            writer.WriteString(key, value)

        writer.WriteEndObject())

let recordsFile records =
    json (fun writer ->
        writer.WriteStartObject()

        for record in records do
            for index, mention in List.indexed record.Mentions do
                let key =
                    if record.Mentions.Length = 1 then
                        record.RecordId
                    else
                        $"{record.RecordId}-{index}"

                writer.WriteStartObject key
                writer.WriteString("id", record.RecordId)
                writer.WriteString("sentence", record.Sentence)
                record.Image |> Option.iter (fun path -> writer.WriteString("imgPath", path))
                writer.WriteString("mentions", mention.Text)
                writer.WriteString("entities", mention.Gold.Name)
                writer.WriteString("answer", mention.Gold.Id)
                writer.WriteEndObject()

        writer.WriteEndObject())

let idsFile (ids: string list) =
    json (fun writer ->
        writer.WriteStartArray()

        for id in ids do
            writer.WriteStringValue id

        writer.WriteEndArray())

/// One mention string a line.
let searchFile =
    json (fun writer ->
        writer.WriteStartObject()

        for mention, ids in search do
            writer.WritePropertyName mention
            let list = ids |> List.map (fun id -> $"\"{id}\"")
            writer.WriteRawValue("[" + String.Join(", ", list) + "]")

        writer.WriteEndObject())

// -------------------------------------------------------------------------------------------------------------- numbers

let percent part whole = $"{100.0 * float part / float whole:F1} %%"

let numbers =
    let lists = Map.ofList search
    let names = entities |> List.countBy _.Name |> Map.ofList
    let mentionsOf records = records |> List.collect _.Mentions
    let all = splits |> List.collect (fun (_, _, records) -> mentionsOf records)
    let strings = search |> List.map fst
    let count test items = items |> List.filter test |> List.length
    let fitting mention = entities |> count (mayMean mention)
    let exact mention = names |> Map.tryFind mention |> Option.defaultValue 0
    let inStrings test = percent (strings |> count test) strings.Length
    let inMentions test = percent (all |> count (_.Text >> test)) all.Length
    let unclear mention = fitting mention > 1
    let homonymous mention = exact mention > 1
    let shared = entities |> count (fun entity -> names[entity.Name] > 1)
    let kinds = Sample.People.kinds @ Sample.Things.kinds
    let variants = kinds |> List.collect _.Variants

    [ $"- {entities.Length} entities of {kinds.Length} kinds in {variants.Length} variants;"
      + $" {shared} share their exact name with another."
      $"- {all.Length} mentions with {strings.Length} mention strings;"
      + $" {candidateCount} candidates for each string."
      $"- {inStrings unclear} of the mention strings ({inMentions unclear} of the mentions)"
      + " may mean more than one entity;"
      + $" {inStrings homonymous} ({inMentions homonymous}) are the exact name of more than one."
      ""
      "| | sentences | mentions | of entities unseen in train | recall of the list | chance | lexical top-1 |"
      "|---|---|---|---|---|---|---|"
      for split, _, records in splits do
          let mentions = mentionsOf records
          let found = mentions |> count (fun m -> List.contains m.Gold.Id lists[m.Text])
          let first = mentions |> count (fun m -> List.head lists[m.Text] = m.Gold.Id)
          let chance = float found / float candidateCount / float mentions.Length

          $"| {string(split).ToLowerInvariant()} | {records.Length} | {mentions.Length}"
          + $" | {percent (mentions |> count (fun m -> isUnseen m.Gold)) mentions.Length}"
          + $" | {percent found mentions.Length} | {100.0 * chance:F1} %% | {percent first mentions.Length} |" ]

/// The README keeps its prose; the lines between the two marks are these numbers.
let readmeFile (current: string) =
    let start, stop = "<!-- numbers: written by make.fsx -->\n", "<!-- end of numbers -->"

    let a, b =
        current.IndexOf(start, StringComparison.Ordinal), current.IndexOf(stop, StringComparison.Ordinal)

    if a < 0 || b < a then
        invalidOp "README.md has lost the marks of its numbers"

    current.Substring(0, a + start.Length) + String.Join("\n", numbers) + "\n" + current.Substring b

let read path = if File.Exists path then File.ReadAllText path else ""

let files =
    let byId = entities |> List.sortBy _.Id

    [ for _, file, records in splits -> file, recordsFile records ]
    @ [ "brief.json", dictionary [ for entity in byId -> entity.Id, brief entity ]
        "property.json", dictionary [ for entity in byId -> entity.Id, property entity ]
        "qid2ne.json", dictionary [ for entity in byId -> entity.Id, entity.Name ]
        "qids_ordered.json", idsFile [ for entity in byId -> entity.Id ]
        "search_top100.json", searchFile
        "README.md", readmeFile (read (Path.Combine(__SOURCE_DIRECTORY__, "README.md"))) ]

let check = fsi.CommandLineArgs |> Array.contains "--check"

let differing =
    [ for name, content in files do
          let path = Path.Combine(__SOURCE_DIRECTORY__, name)
          let same = File.Exists path && File.ReadAllBytes path = Encoding.UTF8.GetBytes content

          if not same && not check then
              File.WriteAllText(path, content)

          if not same then
              name ]

for line in numbers do
    printfn "%s" line

for name in differing do
    if check then
        eprintfn "%s differs from what make.fsx makes" name
    else
        printfn "wrote %s" name

if check && not differing.IsEmpty then
    exit 1
