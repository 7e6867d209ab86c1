module Dwe.Tests.Host.Linking.MarkedTextTests

open Expecto
open Dwe.Host.Linking
open Dwe.Model.Domain

let private read (text: string) (mention: string | null) =
    let struct (found, sentence) = MarkedText.Read(text, mention)
    found, sentence

let private refused (text: string) (mention: string | null) expected =
    Expect.throwsC (fun () -> read text mention |> ignore) (fun error ->
        Expect.isTrue (error :? UserErrorException) "a user's error"
        Expect.equal error.Message expected "what to do")

[<Tests>]
let tests =
    testList
        "Host.Linking.MarkedText"
        [ testCase "a marked mention is taken out of its marks"
          <| fun () ->
              Expect.equal
                  (read "Does [[Jordan]] still play?" null)
                  ("Jordan", "Does Jordan still play?")
                  "mention and sentence"

          testCase "where the mention is given, brackets are text like any other"
          <| fun () ->
              Expect.equal (read "See [[note]]: Jordan" "Jordan") ("Jordan", "See [[note]]: Jordan") "as it stands"

          testCase "no mark, two marks, an open mark and an empty mention are refused"
          <| fun () ->
              let wanted = "Mark exactly one, and close it: Does [[Jordan]] still play?"

              refused
                  "Does Jordan play?"
                  null
                  "there is no mention. Give it beside the text, or mark it: Does [[Jordan]] still play?"

              refused "[[A]] and [[B]]" null $"the text does not mark one mention. {wanted}"
              refused "Does [[Jordan play?" null $"the text does not mark one mention. {wanted}"
              refused "Does [[ ]] play?" null "the marked mention is empty. Put its words between [[ and ]]."
              refused "text" " " "the mention is empty. Give its words." ]
