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
    let struct (texts, missing) =
        EntityTemplate.Parse(template, [| "brief"; "property" |]).Fill(entity fields)

    List.ofArray texts, missing

/// Of a template that makes one text at most.
let private fillOne template fields =
    let texts, missing = fill template fields
    Expect.isFalse (EntityTemplate.Parse(template, [| "brief"; "property" |]).HasSeveral) "one template"
    String.concat "" texts, missing

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
                  (fillOne "{name} [SEP] {property}" [ "property", "Sex: female." ])
                  ("Ada Lovelace [SEP] Sex: female.", false)
                  "text"

          testCase "the first alternative that the entity has is taken"
          <| fun () ->
              let template = "{brief|property}"
              Expect.equal (fillOne template [ "property", "p"; "brief", "b" ]) ("b", false) "both"
              Expect.equal (fillOne template [ "property", "p" ]) ("p", false) "the second only"
              Expect.equal (fillOne template []) ("", true) "none"

          testCase
              "a description is missing when the entity has none of the fields asked for; its name is no description"
          <| fun () ->
              Expect.equal (fillOne "{name} [SEP] {property}" []) ("Ada Lovelace [SEP]", true) "asked for, not there"
              Expect.equal (fillOne "{brief} {property}" [ "brief", "b" ]) ("b", false) "one of two"
              Expect.equal (fillOne "{name}" []) ("Ada Lovelace", false) "none asked for"

          testCase "an entity that has nothing of a template has no text, whatever the literals say"
          <| fun () -> Expect.equal (fillOne "born: {property}" []) ("", true) "text"

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
                  "--entity-text: the template is 'Ada', expected a template with at least one field in braces, e.g. {property}."

          testCase "templates with || between them make a text each, of which those without anything are left out"
          <| fun () ->
              let template = "{name} [SEP] {brief} || {property} || {type}"
              let both = [ "brief", "b"; "property", "p" ]
              Expect.equal (fill template both) ([ "Ada Lovelace [SEP] b"; "p" ], false) "she has no type"
              Expect.equal (fill "{brief} || {property}" [ "property", "p" ]) ([ "p" ], false) "the other alone"
              Expect.equal (fill "{brief} || {property}" []) ([], true) "neither"

          testCase "a text that two templates make counts once"
          <| fun () -> Expect.equal (fill "{brief|property} || {property}" [ "property", "p" ]) ([ "p" ], false) "once"

          testCase "a description is missing when the entity has none of the fields that all templates ask for"
          <| fun () ->
              let template = "{name} [SEP] {brief} || {name}"
              Expect.equal (fill template []) ([ "Ada Lovelace [SEP]"; "Ada Lovelace" ], true) "asked for by one"
              Expect.isFalse (snd (fill "{brief} || {property}" [ "brief", "b" ])) "one of two"
              Expect.isFalse (snd (fill "{name} || {type}" [])) "none asked for"

          testCase "several templates are refused by the place in the whole text; each needs a field"
          <| fun () ->
              refused
                  "{name} || a {brief"
                  "--entity-text: the template is '{name} || a {brief', expected every '{' closed by a '}', unlike at character 13."

              refused
                  "{name || brief}"
                  "--entity-text: the template is '{name || brief}', expected every '{' closed by a '}', unlike at character 1."

              refused
                  "{name} || and so on"
                  "--entity-text: the template is '{name} || and so on', expected at least one field in braces on either side of ' || '." ]
