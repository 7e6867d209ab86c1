module Dwe.Tests.Host.Enrichment.AnswerTests

open System
open System.IO
open Dwe.Host.Enrichment
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto
open FsCheck

let private ada =
    { Id = "Q7"
      Name = "Ada Lovelace"
      Aliases = [| "Ada Byron"; "Countess of Lovelace" |]
      Type = "person"
      Fields = readOnlyDict [ "brief", "a {name}" ]
      Images = [||] }

[<Tests>]
let prompts =
    let parse text = PromptTemplate.Parse("p.txt", text, [| "brief"; "property" |])

    testList
        "prompts"
        [ testCase "fields are filled in once, aliases with commas, and what an entity lacks is nothing"
          <| fun () ->
              let prompt = parse "{name} ({type}): {aliases}. {brief} {property}\n"
              Expect.equal (prompt.Fill ada) "Ada Lovelace (person): Ada Byron, Countess of Lovelace. a {name}" "filled"

          testCase "an unknown field is answered with the nearest known name; a prompt without one is refused"
          <| fun () ->
              (fun () -> parse "{name} {breif}" |> ignore)
              |> Refusal.isSpelled "p.txt: unknown key 'breif'; did you mean brief?"

              (fun () -> parse "Who is it?" |> ignore)
              |> Refusal.isSpelled "p.txt: the prompt: found no field in braces, expected at least {name}."

          testCase "the hash is that of the template's text"
          <| fun () ->
              // printf '{name}' | sha256sum
              let expected = Convert.ToHexStringLower(Security.Cryptography.SHA256.HashData "{name}"B)
              Expect.equal (parse "{name}").Hash expected "hash"
              Expect.notEqual (parse "{name}.").Hash expected "another text" ]

[<Tests>]
let texts =
    testList
        "answers as they are kept"
        [ testCase "runs of white space and control characters become one space"
          <| fun () -> Expect.equal (AnswerText.Clean "\t A \u0000\r\n\u2028 b\u001b[0m ") "A b [0m" "one line"

          testCase "a longer answer is cut at its last space before 600 letters, a word alone at 600"
          <| fun () ->
              let words = String.replicate 150 "abcd "
              Expect.equal (AnswerText.Clean words) (String.replicate 119 "abcd " + "abcd") "599 letters"
              Expect.equal (AnswerText.Clean(String('a', 700))) (String('a', 600)) "a word"
              Expect.equal (AnswerText.Clean(String('a', 599) + "😀😀")) (String('a', 599)) "no half a letter"

          testProperty "is at most 600 long, without control characters, and cleaning again changes nothing"
          <| fun (text: NonEmptyString) (factor: byte) ->
              let clean = AnswerText.Clean(String.replicate (int factor) text.Get)

              clean.Length <= AnswerText.MaxLength
              && not (Seq.exists Char.IsControl clean)
              && AnswerText.Clean clean = clean ]

[<Tests>]
let journals =
    let withOut test = Folder.temporary (fun folder -> test (Path.Combine(folder, "out.jsonl")))

    let keep (out: string) answers =
        use journal = AnswerJournal.Open out

        for key, answer in answers do
            journal.Append(key, answer)

    let found (out: string) keys =
        use journal = AnswerJournal.Open out
        [ for key in keys -> journal.Find key |> Option.ofObj ]

    testList
        "the journal of answers"
        [ testCase "what was appended is found again, the empty answer too"
          <| fun () ->
              withOut (fun out ->
                  keep out [ "a", "one"; "b", "" ]
                  keep out [ "c", "drei \"ü\"" ]

                  Expect.equal
                      (found out [ "a"; "b"; "c"; "d" ])
                      [ Some "one"; Some ""; Some "drei \"ü\""; None ]
                      "found")

          testCase "a line that was cut off is dropped, wherever it was cut, and the next answer is whole"
          <| fun () ->
              withOut (fun out ->
                  keep out [ "a", "one"; "b", "two" ]
                  let path = AnswerJournal.PathOf out
                  let whole = File.ReadAllBytes path
                  let first = Array.IndexOf(whole, byte '\n') + 1

                  for length in first .. whole.Length - 1 do
                      File.WriteAllBytes(path, whole[.. length - 1])
                      keep out [ "c", "three" ]
                      Expect.equal (found out [ "a"; "b"; "c" ]) [ Some "one"; None; Some "three" ] $"cut at {length}")

          testCase "one process at a time holds it"
          <| fun () ->
              withOut (fun out ->
                  use _held = AnswerJournal.Open out

                  (fun () -> (AnswerJournal.Open out).Dispose())
                  |> Refusal.isSpelled
                      $"{AnswerJournal.PathOf out} is in use: another job is writing this file. Wait for it, or name another --out.")

          testCase "one without an answer is not left behind"
          <| fun () ->
              withOut (fun out ->
                  keep out []
                  Expect.isFalse (File.Exists(AnswerJournal.PathOf out)) "the file") ]
