Console.WriteLine(Dwe.Model.Hello.sum());
