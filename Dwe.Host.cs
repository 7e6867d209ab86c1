using Dwe.Host.Native;
NativeLibraries.Require();
Console.WriteLine(Dwe.Model.Hello.sum());
