module Dwe.Tests.Model.Lexical.LexicalTests

open System
open System.Collections.Generic
open Expecto
open FsCheck.FSharp
open Dwe.Model.Domain
open Dwe.Model.Lexical
open Dwe.Tests.Prelude

let private entity id name aliases : Entity =
    { Id = id
      Name = name
      Aliases = aliases
      Type = ""
      Fields = Dictionary()
      Images = [||] }

let private mention text sentence : Mention =
    { Key = "m"
      Text = text
      Sentence = sentence
      Images = [||]
      Type = ""
      Gold = Unlabelled
      Box = null }

let private remembered key text sentence id : RememberedMention =
    { Key = key; Mention = text; Sentence = sentence; Entity = id }

let private entities =
    [| entity "Q1" "Ann Smith (singer)" [| "A. Smith" |]
       entity "Q2" "Ann Smith (judge)" [||]
       entity "Q3" "Bořek Łukáš McKay" [||]
       entity "Q4" "United Paper Works" [||] |]

let private descriptions =
    [| "Sex: female. Birth: 1950, Oslo. Death: 1999. Occupation: singer."
       "Sex: female. Birth: 1870. Death: 1930. Occupation: judge."
       "Sex: male. Birth: 1980, Brno."
       "" |]

let private memory =
    [| remembered "a" "Smith" "Smith sang in Oslo" "Q1"
       remembered "b" "Smith" "Smith at the court" "Q2"
       remembered "c" "smith" "Smith on stage in Oslo" "Q1" |]

let private lexicon = Lexicon(entities, descriptions, memory)

/// The features of one pair by name.
let private features own (mention: Mention) row =
    let values = Array.zeroCreate<float32> PairFeatures.count
    PairFeatures.fill lexicon (lexicon.Prepare(mention, own)) row (values.AsSpan())
    Map(Seq.zip PairFeatures.names values)

let private letters = Gen.elements [ 'a'; 'b'; 'c'; 'é'; ' ' ] |> Gen.arrayOf |> Gen.map String

/// Any characters but halves of pairs.
let private anyText =
    Gen.choose (0, 0xFFFF)
    |> Gen.map char
    |> Gen.filter (Char.IsSurrogate >> not)
    |> Gen.arrayOf
    |> Gen.map String

/// The length of the longest common subsequence by the table of Wagner and Fischer.
let private common (left: string) (right: string) =
    let lengths = Array2D.zeroCreate (left.Length + 1) (right.Length + 1)

    for i in 1 .. left.Length do
        for j in 1 .. right.Length do
            lengths[i, j] <-
                if left[i - 1] = right[j - 1] then
                    lengths[i - 1, j - 1] + 1
                else
                    max lengths[i - 1, j] lengths[i, j - 1]

    lengths[left.Length, right.Length]

let private property name gen holds =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = 200 } name (Prop.forAll (Arb.fromGen gen) holds)

/// The sentence of the mention is the only document with its words, or no document has them.
let private rareWords =
    testCase "words that only the mention's own sentence has weigh as words that nothing has"
    <| fun () ->
        let sentence = "Smith zythum quokka"
        let own = remembered "a" "Smith" sentence "Q1"
        let other = remembered "a" "Smith" "Smith borscht capybara" "Q1"
        let asked = mention "Smith" sentence

        let among memory own = Lexicon(entities, descriptions, [| memory |]).Prepare(asked, own)

        let training, evaluation = among own 0, among other -1
        Expect.equal training.ContextWeight evaluation.ContextWeight "the weight of the sentence"
        Expect.equal training.ContextTexts.Count evaluation.ContextTexts.Count "how many words it has"

let private words =
    testList
        "words"
        [ testCase "are runs of letters and digits, folded"
          <| fun () ->
              Expect.equal
                  (Words.textsOf "Martin Škrtel, O'Hara-Łódź 2nd")
                  [| "martin"; "skrtel"; "o"; "hara"; "lodz"; "2nd" |]
                  "words"

              Expect.equal (Words.textsOf " ., ") [||] "none"
              Expect.equal (Words.textsOf "İzmir IZMIR ızmir") [| "izmir"; "izmir"; "izmir" |] "a capital with a dot"

          testCase "are years where they are four digits from 1000 to 2100"
          <| fun () ->
              Expect.equal
                  (Words.years [ "1918"; "918"; "2100"; "3000"; "191a"; "1000" ])
                  [| 1918; 2100; 1000 |]
                  "years"

          property
              "two texts have the same letters in common by bits as by the table"
              (Gen.zip letters letters)
              (fun (left, right) ->
                  let first (text: string) = text.Substring(0, min 64 text.Length)

                  Expect.equal
                      ((LetterPattern left).Common right)
                      (common (first left) (first right))
                      "of the first 64 letters")

          testCase "a ratio is twice the letters in common by all letters"
          <| fun () -> Expect.equal ((LetterPattern "mcglory").Ratio "mcclory") (12.0f / 14.0f) "one letter differs" ]

let private evidence =
    testList
        "the memory"
        [ testCase "counts entity, text, and both; a text is the same in any case"
          <| fun () ->
              let memory = lexicon.Memory
              Expect.equal (memory.OfEntity(-1, 0)) 2 "Q1"
              Expect.equal (memory.OfText(-1, "smith")) 3 "smith"
              Expect.equal (memory.OfPair(-1, "smith", 0)) 2 "smith for Q1"
              Expect.equal (memory.OfPair(-1, "ann", 0)) 0 "never seen"

          testCase "leaves a remembered mention out when it is asked about itself"
          <| fun () ->
              let memory = lexicon.Memory
              Expect.equal (memory.OfEntity(0, 0)) 1 "its own entity"
              Expect.equal (memory.OfEntity(0, 1)) 1 "another"
              Expect.equal (memory.OfText(0, "smith")) 2 "its text"
              Expect.equal (memory.OfPair(1, "smith", 1)) 0 "the only one"
              Expect.isFalse (memory.InSentence(0, "Smith sang in Oslo", 0)) "its own sentence"
              Expect.isTrue (memory.InSentence(1, "Smith sang in Oslo", 0)) "another's"

          testCase "finds the words of other mentions of an entity, not those of the mention itself"
          <| fun () ->
              let number word = lexicon.Vocabulary.NumberOf word
              let oslo, stage = number "oslo", number "stage"
              let weight = lexicon.Vocabulary.Weight
              Expect.equal (lexicon.Memory.Overlap(-1, [| oslo; stage |], 0)) (weight oslo + weight stage) "both"
              Expect.equal (lexicon.Memory.Overlap(2, [| oslo; stage |], 0)) (weight oslo) "no other mention on a stage"
              Expect.equal (lexicon.Memory.Overlap(2, [| oslo; stage |], 1)) 0.0f "another entity"
              Expect.equal (lexicon.Memory.Overlap(-1, [| oslo |], 3)) 0.0f "never meant" ]

let private pairs =
    testList
        "the features of a pair"
        [ testCase "have distinct names, one for each number"
          <| fun () -> Expect.equal (Array.distinct PairFeatures.names).Length PairFeatures.count "distinct"

          testCase "tell a surname, a first name, an exact name and an alias"
          <| fun () ->
              let surname = features -1 (mention "Smith" "Smith in 1960") 0
              Expect.equal surname["name.mention_is_last_word"] 1.0f "surname"
              Expect.equal surname["name.mention_is_first_word"] 0.0f "no first name"
              Expect.equal surname["name.exact"] 0.0f "not the whole name"

              Expect.equal
                  (features -1 (mention "Ann" "Ann") 0 |> Map.find "name.mention_is_first_word")
                  1.0f
                  "first name"

              Expect.equal
                  (features -1 (mention "ANN SMITH" "") 0 |> Map.find "name.exact")
                  1.0f
                  "exact, without what is in parentheses"

              Expect.equal (features -1 (mention "A. Smith" "") 0 |> Map.find "name.exact") 1.0f "alias"

              Expect.equal
                  (features -1 (mention "Lukas" "") 2 |> Map.find "name.covers_mention")
                  1.0f
                  "marks on letters do not count"

          testCase "say the same of every entity where nothing is remembered, as far as training goes"
          <| fun () ->
              let empty = Lexicon(entities, descriptions, [||])

              let ofTraining (lexicon: Lexicon) row =
                  let values = Array.zeroCreate<float32> PairFeatures.count
                  let asked = lexicon.Prepare(mention "Smith" "Smith sang in Oslo", -1)
                  PairFeatures.fill lexicon asked row (values.AsSpan())

                  [ for name, value in Seq.zip PairFeatures.names values do
                        if name.StartsWith "prior." || name.StartsWith "memory." then
                            name, value ]

              for row in 0 .. entities.Length - 1 do
                  Expect.equal (ofTraining empty row) (ofTraining empty 0) $"entity {row}"

              Expect.notEqual (ofTraining lexicon 1) (ofTraining lexicon 3) "with a memory it differs"

          testCase "tell initials"
          <| fun () ->
              Expect.equal (features -1 (mention "UPW" "") 3 |> Map.find "name.initials") 1.0f "of three words"
              Expect.equal (features -1 (mention "UPS" "") 3 |> Map.find "name.initials") 0.0f "others"

          testCase "read the capitalised words beside the mention"
          <| fun () ->
              let beside = features -1 (mention "Lukas" "With Lukas McCay, in Prague") 2
              Expect.equal beside["extended.longer"] 1.0f "With Lukas McCay"
              Expect.equal beside["extended.beside_in_name"] 0.0f "misspelt"
              Expect.equal beside["extended.beside_alike"] 0.8f "mccay and mckay share 4 of 5 letters"

          testCase "read the rest of the name, and what tells homonyms apart, in the sentence"
          <| fun () ->
              let found = features -1 (mention "Smith" "the judge Ann Smith retired") 1
              Expect.equal found["sentence.has_name"] 1.0f "the whole name"
              Expect.equal found["sentence.rest_of_name"] 1.0f "ann"
              Expect.equal found["sentence.telling"] 1.0f "judge"

              Expect.equal
                  (features -1 (mention "Smith" "the judge Ann Smith retired") 0 |> Map.find "sentence.telling_missing")
                  1.0f
                  "singer"

              Expect.equal found["ambiguity.named"] (log 2.0f) "two entities bear the bare name"

          testCase "compare years with those of a life"
          <| fun () ->
              let year text row = features -1 (mention "Smith" $"Smith in {text}") row
              Expect.equal (year "1930" 0 |> Map.find "year.before_birth") 1.0f "20 years before"
              Expect.equal (year "1980" 0 |> Map.find "year.grown") 1.0f "aged 30"
              Expect.equal (year "2005" 0 |> Map.find "year.after_death") 1.0f "dead for 6 years"
              Expect.equal (year "1950" 0 |> Map.find "year.same") 1.0f "a year of the description"
              Expect.equal (year "1950" 3 |> Map.find "year.unknown") 1.0f "no description"
              Expect.floatClose Accuracy.medium (year "1980" 0 |> Map.find "year.age" |> float) 0.3 "centuries"

          testCase "compare pronouns with the sex that is stated"
          <| fun () ->
              let he = mention "Smith" "Smith with his wife's brother and his father"
              Expect.equal (features -1 he 0 |> Map.find "gender.contradicts") 1.0f "a woman"
              Expect.equal (features -1 he 2 |> Map.find "gender.agrees") 1.0f "a man"
              Expect.equal (features -1 he 3 |> Map.find "gender.agrees") 0.0f "unknown"

          testCase "hold the prior of name and entity, leaving the mention itself out"
          <| fun () ->
              let asked = mention "Smith" "Smith sang in Oslo"
              Expect.equal (features -1 asked 0 |> Map.find "prior.pair_share") (2.0f / 4.0f) "2 of 3, smoothed by one"
              Expect.equal (features 0 asked 0 |> Map.find "prior.pair_share") (1.0f / 3.0f) "1 of 2"
              Expect.equal (features -1 asked 3 |> Map.find "prior.entity_unseen") 1.0f "never meant"

          property
              "are finite, whatever the texts are"
              (Gen.zip3 anyText anyText (Gen.choose (0, 3)))
              (fun (text, sentence, row) ->
                  for KeyValue(name, value) in features -1 (mention text sentence) row do
                      Expect.isTrue (Single.IsFinite value) name) ]

[<Tests>]
let tests = testList "Model.Lexical" [ words; rareWords; evidence; pairs ]
