package seed

import (
	"fmt"
	"math/rand/v2"
)

// Address is where a parcel goes. Country is an ISO 3166 code of two letters.
type Address struct {
	Name     string `json:"name"`
	Street   string `json:"street"`
	City     string `json:"city"`
	Postcode string `json:"postcode"`
	Country  string `json:"country"`
}

// addressOf returns the address of a customer, who does not move between orders.
func addressOf(customer int, name string) Address {
	random := source("address", customer)
	town := pick(random, towns)
	return Address{
		Name:     name,
		Street:   houseNumber(random) + " " + pick(random, streets),
		City:     town.city,
		Postcode: town.postcode,
		Country:  town.country,
	}
}

func houseNumber(random *rand.Rand) string { return fmt.Sprint(1 + random.IntN(180)) }

type town struct{ city, postcode, country string }

var towns = []town{
	{"Amsterdam", "1012 JS", "NL"}, {"Auckland", "1010", "NZ"}, {"Austin", "78701", "US"},
	{"Barcelona", "08002", "ES"}, {"Berlin", "10115", "DE"}, {"Bologna", "40121", "IT"},
	{"Boston", "02108", "US"}, {"Bristol", "BS1 4DJ", "GB"}, {"Cape Town", "8001", "ZA"},
	{"Chicago", "60602", "US"}, {"Copenhagen", "1050", "DK"}, {"Dublin", "D02 X285", "IE"},
	{"Edinburgh", "EH1 1YZ", "GB"}, {"Ghent", "9000", "BE"}, {"Helsinki", "00100", "FI"},
	{"Kraków", "31-005", "PL"}, {"Kyoto", "600-8216", "JP"}, {"Lisbon", "1100-148", "PT"},
	{"Lyon", "69002", "FR"}, {"Melbourne", "3000", "AU"}, {"Montréal", "H2Y 1C6", "CA"},
	{"Oslo", "0150", "NO"}, {"Portland", "97204", "US"}, {"Prague", "110 00", "CZ"},
	{"Singapore", "179098", "SG"}, {"Stockholm", "111 29", "SE"}, {"Toronto", "M5V 2T6", "CA"},
	{"Vienna", "1010", "AT"}, {"Wellington", "6011", "NZ"}, {"Zürich", "8001", "CH"},
}

var streets = []string{
	"Alder Row", "Bell Street", "Bridge Street", "Canal Street", "Castle Hill", "Chapel Lane",
	"Church Street", "Elm Grove", "Fig Tree Lane", "Fountain Square", "Garden Street", "High Street",
	"Hill Road", "Lake View", "Library Square", "Lime Avenue", "Market Place", "Mill Lane",
	"Museum Street", "North Quay", "Old Town Road", "Orchard Way", "Park Avenue", "Poplar Street",
	"River Walk", "School Lane", "South Street", "Station Road", "Theatre Street", "Willow Close",
}

var givenNames = []string{
	"Ada", "Adebayo", "Aiko", "Alejandra", "Amara", "Amir", "Ana", "Andrzej", "Anjali", "Astrid",
	"Beatriz", "Björn", "Carmen", "Chidi", "Chloé", "Daniel", "Deepa", "Dmitri", "Elena", "Elias",
	"Emeka", "Emma", "Fatima", "Felix", "Freya", "Giulia", "Grace", "Hana", "Henrik", "Hiroshi",
	"Ibrahim", "Ines", "Ingrid", "Isaac", "Jamila", "João", "Jonas", "Julia", "Kamala", "Kenji",
	"Laila", "Lars", "Leila", "Lena", "Liam", "Lucía", "Maja", "Marcus", "Maren", "Mateo",
	"Mei", "Miriam", "Nadia", "Naomi", "Niamh", "Noor", "Oluchi", "Omar", "Oscar", "Paulo",
	"Petra", "Priya", "Rafael", "Ravi", "Rosa", "Ruth", "Samir", "Sanne", "Seamus", "Sofia",
	"Tariq", "Teresa", "Thabo", "Tomasz", "Uma", "Viktor", "Wei", "Yara", "Yusuf", "Zoë",
}

var familyNames = []string{
	"Abe", "Adeyemi", "Ahmed", "Almeida", "Andersen", "Banerjee", "Bauer", "Becker", "Bianchi", "Byrne",
	"Castro", "Chen", "Costa", "Das", "Dubois", "Eriksson", "Fernández", "Fischer", "Fraser", "García",
	"Greene", "Haddad", "Hansen", "Hassan", "Horvat", "Ito", "Iyer", "Jansen", "Johansson", "Kaplan",
	"Kelly", "Khan", "Kowalski", "Kumar", "Larsen", "Leclerc", "Lee", "Lindqvist", "Lopez", "MacLeod",
	"Martins", "Mbeki", "Meyer", "Moreau", "Mwangi", "Nakamura", "Ndiaye", "Nguyen", "Novák", "O'Connor",
	"Okafor", "Oliveira", "Park", "Patel", "Pereira", "Petrov", "Quinn", "Rahman", "Ramos", "Rossi",
	"Sato", "Schmidt", "Sharma", "Silva", "Singh", "Smit", "Suzuki", "Tanaka", "Thompson", "Usman",
	"van Dijk", "Vargas", "Walsh", "Wang", "Weber", "Williams", "Wójcik", "Yamada", "Yılmaz", "Zhang",
}
