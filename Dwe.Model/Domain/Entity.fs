namespace Dwe.Model.Domain

open System.Collections.Generic

/// An entity of the knowledge base. Ids decide, never names: homonyms are different entities.
type Entity =
    {
        Id: string
        Name: string
        Aliases: string[]
        /// The entity type the data set states, or "" where it states none.
        Type: string
        /// Description fields by name, e.g. `property`, `brief`. A field that is missing is absent, never "" or "None".
        Fields: IReadOnlyDictionary<string, string>
        /// Image names relative to the data set's entity image folder.
        Images: string[]
    }
