/// Writes pickles instruction by instruction, and the files of torch.save around them: for reading what no honest
/// program writes, too.
module Dwe.Tests.Host.Import.PickleBytes

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text

type Item =
    | Nothing
    | Flag of bool
    | Int of int64
    | Real of float
    | Text of string
    | Tuple of Item list
    | List of Item list
    | Dict of (Item * Item) list
    /// A class or function by module and name.
    | Global of string * string
    /// callee, arguments
    | Call of Item * Item list
    /// class, attributes
    | Object of Item * (string * Item) list
    /// What a persistent id stands for.
    | Stored of Item
    /// Instructions as they are.
    | Raw of byte list

let private int32 (value: uint32) =
    let bytes = Array.zeroCreate 4
    BinaryPrimitives.WriteUInt32LittleEndian(Span bytes, value)
    bytes

let rec private write (target: MemoryStream) item =
    let put (bytes: byte seq) = target.Write(ReadOnlySpan(Array.ofSeq bytes))
    let code (letter: char) = target.WriteByte(byte letter)

    match item with
    | Nothing -> code 'N'
    | Flag value -> put [ (if value then 0x88uy else 0x89uy) ]
    | Int value when value >= 0L && value < 256L -> put [ byte 'K'; byte value ]
    | Int value when value >= 0L && value < 65536L -> put [ byte 'M'; byte value; byte (value >>> 8) ]
    | Int value when value = int64 (int value) ->
        code 'J'
        put (int32 (uint32 (int value)))
    | Int value ->
        put [ 0x8auy; 8uy ]
        put (BitConverter.GetBytes value)
    | Real value ->
        code 'G'
        put (Array.rev (BitConverter.GetBytes value))
    | Text value ->
        let bytes = Encoding.UTF8.GetBytes value
        code 'X'
        put (int32 (uint32 bytes.Length))
        put bytes
    | Tuple items ->
        code '('
        items |> List.iter (write target)
        code 't'
    | List items ->
        code ']'
        code '('
        items |> List.iter (write target)
        code 'e'
    | Dict entries ->
        code '}'
        code '('

        for key, value in entries do
            write target key
            write target value

        code 'u'
    | Global(space, name) ->
        code 'c'
        put (Encoding.UTF8.GetBytes $"{space}\n{name}\n")
    | Call(callee, arguments) ->
        write target callee
        write target (Tuple arguments)
        code 'R'
    | Object(kind, attributes) ->
        write target kind
        put [ byte ')'; 0x81uy ]
        write target (Dict [ for name, value in attributes -> Text name, value ])
        code 'b'
    | Stored id ->
        write target id
        code 'Q'
    | Raw bytes -> put bytes

/// One pickle of protocol 2.
let pickle (item: Item) : byte[] =
    use target = new MemoryStream()
    target.Write(ReadOnlySpan [| 0x80uy; 2uy |])
    write target item
    target.WriteByte(byte '.')
    target.ToArray()

/// A storage as tensors name it.
let storage kind (key: string) (count: int64) =
    Tuple [ Text "storage"; Global("torch", kind); Text key; Text "cpu"; Int count ]

/// A tensor over a storage.
let tensorOf stored (offset: int64) (shape: int64 list) (strides: int64 list) =
    Call(
        Global("torch._utils", "_rebuild_tensor_v2"),
        [ Stored stored
          Int offset
          Tuple(List.map Int shape)
          Tuple(List.map Int strides)
          Flag false
          Call(Global("collections", "OrderedDict"), []) ]
    )

/// A float32 tensor that is its whole storage, without gaps.
let tensor (key: string) (shape: int64 list) =
    let count = List.fold (*) 1L shape
    let strides = List.scanBack (*) shape 1L |> List.tail
    tensorOf (storage "FloatStorage" key count) 0L shape strides

let floats (values: float32 seq) = values |> Seq.collect BitConverter.GetBytes |> Array.ofSeq

/// An archive `FOLDER/NAME`, stored as PyTorch does unless a level is given.
let zip (path: string) (level: CompressionLevel) (entries: (string * byte[]) list) =
    use archive = new ZipArchive(File.Create path, ZipArchiveMode.Create)

    for name, bytes in entries do
        use entry = archive.CreateEntry("archive/" + name, level).Open()
        entry.Write(ReadOnlySpan bytes)

/// As torch.save writes it: the objects, and the float32 values of each storage.
let save (path: string) (root: Item) (storages: (string * float32 list) list) =
    zip
        path
        CompressionLevel.NoCompression
        (("data.pkl", pickle root) :: [ for key, values in storages -> "data/" + key, floats values ]
         @ [ "version", "3\n"B ])

/// As torch.save wrote it before PyTorch 1.6.
let saveLegacy (path: string) (root: Item) (storages: (string * float32 list) list) =
    use target = File.Create path
    let put (bytes: byte[]) = target.Write(ReadOnlySpan bytes)
    let magic = Numerics.BigInteger.Parse("119547037146038801333356").ToByteArray()
    put (pickle (Raw [ 0x8auy; byte magic.Length; yield! magic ]))
    put (pickle (Int 1001L))
    put (pickle (Dict [ Text "protocol_version", Int 1001L; Text "little_endian", Flag true ]))
    put (pickle root)
    put (pickle (List [ for key, _ in storages -> Text key ]))

    for _, values in storages do
        put (BitConverter.GetBytes(int64 values.Length))
        put (floats values)

/// A value of this type, as the reader gives it.
let the<'Value when 'Value: not null> (value: obj | null) : 'Value =
    match value with
    | :? 'Value as found -> found
    | other -> Expecto.Tests.failtest $"expected {typeof<'Value>.Name}, but it is {other}"
