from chimney.cli import main

main()
