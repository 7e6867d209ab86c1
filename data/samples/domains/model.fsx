/// How a domain of the sample is written down. A kind (footballer, river, ...) has variants; a variant owns its wording:
/// what the knowledge base says of such an entity, and what a sentence says where one is mentioned. The two lists share
/// a meaning and as few words as natural English allows, so that reading, not word matching, links one to the other.
///
/// Slots: {m} the mention; {home} a place that the description names too; {year}; {he} {his} {him} by the entity's sex.
module Sample.Model

type Variant =
    {
        Label: string
        /// Predicates of a description: "She was …".
        Describe: string list
        /// Whole sentences without their full stop. One is kept for dev and one for test; train never sees either.
        Contexts: string list
    }

type Kind =
    {
        Name: string
        /// The key and value that the structured description begins with.
        Fact: string
        IsPerson: bool
        /// Articles and full names of things; {b} is the shared base name. Persons have first name and surname instead.
        Patterns: (string * string) list
        /// The article before the bare base name: "the" for a river, nothing for a town.
        ShortArticle: string
        /// Second sentence of a description of a thing.
        Where: string list
        Variants: Variant list
    }

let variant label describe contexts = { Label = label; Describe = describe; Contexts = contexts }

let person name variants =
    { Name = name
      Fact = "Occupation: " + name
      IsPerson = true
      Patterns = []
      ShortArticle = ""
      Where = [ "Born in {home}."; "A native of {home}."; "{He} grew up in {home}."; "{He} came from {home}." ]
      Variants = variants }

let thing name shortArticle patterns where variants =
    { Name = name
      Fact = "Instance of: " + name
      IsPerson = false
      Patterns = patterns
      ShortArticle = shortArticle
      Where = where
      Variants = variants }
