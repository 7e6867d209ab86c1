namespace Dwe.Model.Domain

open System.Collections.Generic

/// What the keys of a candidate file were found to be.
type CandidateKey =
    | MentionText
    | RecordKey

/// Candidate entities of one split, as some retrieval returned them: best first, ids that need not be in the knowledge base.
type Candidates =
    {
        /// Where they come from, for the protocol card, e.g. a file name.
        Source: string
        KeyedBy: CandidateKey
        /// Candidate ids by `Mention.Key`. A mention for which nothing was retrieved is absent.
        Ids: IReadOnlyDictionary<string, string[]>
        /// Keys of mentions for which nothing was retrieved, in the split's order.
        Without: string[]
    }
