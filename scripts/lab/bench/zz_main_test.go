package bench
import ("testing";"context";"os";"time";"banyan/scripts/lab/up";"strconv";"encoding/json")
func TestZZ(t *testing.T){ d:=os.Getenv("ZZDIR"); if d=="" {t.Skip()}
 s,err:=up.Running(d); if err!=nil {t.Fatal(err)}
 o:=Quick(); o.Out=os.Stderr
 if v:=os.Getenv("ZZSEC"); v!="" { f,_:=strconv.ParseFloat(v,64); o.Length=time.Duration(f*1e9)}
 if v:=os.Getenv("ZZROUNDS"); v!="" { o.Rounds,_=strconv.Atoi(v)}
 r,err:=Run(context.Background(),s,o); if err!=nil {t.Fatal(err)}
 r.WriteTable(os.Stdout)
 if os.Getenv("ZZJSON")!="" {json.NewEncoder(os.Stdout).Encode(r)}
}
