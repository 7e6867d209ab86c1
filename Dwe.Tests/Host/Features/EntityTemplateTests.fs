module Dwe.Tests.Host.Features.EntityTemplateTests

open Dwe.Host.Features
open Dwe.Model.Domain
open Dwe.Tests.Prelude
open Expecto

let private entity (fields: (string * string) list) =
    { Id = "Q7"
      Name = "Ada Lovelace"
      Aliases = [||]
      Type = ""
      Fields = readOnlyDict fields
      Images = [||] }

let private fill template fields =
    let struct (text, missing) =
        EntityTemplate.Parse(template, [| "brief"; "property" |]).Fill(entity fields)

    text, missing

let private refused template expected =
    (fun () -> EntityTemplate.Parse(template, [| "brief"; "property" |]) |> ignore)
    |> Refusal.isSpelled expected

[<Tests>]
let tests =
    testList
        "entity text templates"
        [ testCase "fields are filled in and literal text stays"
          <| fun () ->
              Expect.equal
                  (fill "{name} [SEP] {property}" [ "property", "Sex: female." ])
                  ("Ada Lovelace [SEP] Sex: female.", false)
                  "text"

          testCase "the first alternative that the entity has is taken"
          <| fun () ->
              let template = "{brief|property}"
              Expect.equal (fill template [ "property", "p"; "brief", "b" ]) ("b", false) "both"
              Expect.equal (fill template [ "property", "p" ]) ("p", false) "the second only"
              Expect.equal (fill template []) ("", true) "none"

          testCase
              "a description is missing when the entity has none of the fields asked for; its name is no description"
          <| fun () ->
              Expect.equal (fill "{name} [SEP] {property}" []) ("Ada Lovelace [SEP]", true) "asked for, not there"
              Expect.equal (fill "{brief} {property}" [ "brief", "b" ]) ("b", false) "one of two"
              Expect.equal (fill "{name}" []) ("Ada Lovelace", false) "none asked for"

          testCase "an entity that has nothing of a template has no text, whatever the literals say"
          <| fun () -> Expect.equal (fill "born: {property}" []) ("", true) "text"

          testCase "an unknown field is answered with the nearest known name"
          <| fun () -> refused "{proprety}" "--entity-text '{proprety}': unknown key 'proprety'; did you mean property?"

          testCase "braces that do not match and templates without a field are refused"
          <| fun () ->
              let braces template place =
                  refused
                      template
                      $"--entity-text: the template is '{template}', expected every '{{' closed by a '}}', unlike at character {place}."

              braces "a {name" 3
              braces "name}" 5
              braces "{na{me}}" 1

              refused
                  "Ada"
                  "--entity-text: the template is 'Ada', expected a template with at least one field in braces, e.g. {property}." ]
