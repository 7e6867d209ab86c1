using Dwe.Host.Native;
NativeLibraries.Require();
Console.WriteLine(Dwe.Model.Hello.sum());
Console.WriteLine(TorchSharp.torch.cuda.is_available());
foreach (var f in SystemLibrary.MappedFiles("lib").Where(f => f.Contains("orch") || f.Contains("c10"))) Console.WriteLine(f);
