`timescale 1ns / 1ps
// tb: runs one layer folder of a vector set on top and prints
//   RESULT cycles=.. exp_cycles=.. outs=.. PASS|FAIL
//   +dir=DIR      the layer's folder (csr.txn, nbin.hex, ..., acc.hex, out.hex)
//   +trace=FILE   one line per event: cycle A|O|D addr hex
//   +vcd          waves into wave.vcd
//   +max_err=N    mismatches to print (default 10)
// Every value that decides PASS comes from the files. params.vh holds the parameters of the set.
`include "params.vh"

module tb;
    localparam TN = `HWSIM_TN, TM = `HWSIM_TM, A = `HWSIM_A, AO = `HWSIM_AO, W = `HWSIM_W, ACC = `HWSIM_ACC;
    localparam FOLD = `HWSIM_FOLD, SB_DEPTH = `HWSIM_SB_DEPTH, NBOUT_DEPTH = `HWSIM_NBOUT_DEPTH;
    localparam FLAG_DEPTH = `HWSIM_FLAG_DEPTH;
    localparam HOST = (TM*TN*W > TM*48) ? ((TM*TN*W > TN*A) ? TM*TN*W : TN*A) : ((TM*48 > TN*A) ? TM*48 : TN*A);

    reg clk = 1'b0, rst = 1'b1;
    always #5 clk = ~clk;

    reg             csr_we = 1'b0;
    reg  [7:0]      csr_addr = 8'd0;
    reg  [31:0]     csr_wdata = 32'd0;
    wire [31:0]     csr_rdata;
    wire            done, acc_valid, out_valid;
    wire [31:0]     acc_addr, out_addr;
    wire [TM*ACC-1:0] acc;
    wire [TM*AO-1:0]  out, host_q;

    top #(.TN(TN), .TM(TM), .A(A), .XS(`HWSIM_XS), .AO(AO), .W(W), .LOG(`HWSIM_LOG), .ACC(ACC), .SAT(`HWSIM_SAT),
          .MB(`HWSIM_MB), .SB(`HWSIM_SB), .FOLD(FOLD), .MODE(`HWSIM_MODE), .NBIN_DEPTH(`HWSIM_NBIN_DEPTH),
          .SB_DEPTH(SB_DEPTH), .FLAG_DEPTH(FLAG_DEPTH), .TILE_DEPTH(`HWSIM_TILE_DEPTH), .NBOUT_DEPTH(NBOUT_DEPTH)) dut (
        .clk(clk), .rst(rst), .csr_we(csr_we), .csr_addr(csr_addr), .csr_wdata(csr_wdata), .csr_rdata(csr_rdata),
        .done(done), .host_we(1'b0), .host_sel(4'd0), .host_addr(32'd0), .host_data({HOST{1'b0}}), .host_re(1'b0),
        .host_q(host_q), .mon_acc_valid(acc_valid), .mon_acc_addr(acc_addr), .mon_acc(acc),
        .mon_out_valid(out_valid), .mon_out_addr(out_addr), .mon_out(out));

    // ---- expected values -----------------------------------------------------------------------------------------
    reg [TM*ACC-1:0]   exp_acc [0:NBOUT_DEPTH-1];
    reg [TM*AO-1:0]    exp_out [0:NBOUT_DEPTH-1];
    reg [TM*TN*W-1:0]  weights [0:2*SB_DEPTH-1];
    reg [31:0]         cfg [0:31];

    reg [8*512-1:0] dir, trace_name;
    integer trace = 0, max_err = 10, errors = 0, outs = 0, accs = 0, printed = 0;

    function [8*600-1:0] file_in(input [8*512-1:0] folder, input [8*16-1:0] name);
        integer i;
        begin
            file_in = 0;
            for (i = 511; i >= 0; i = i - 1)
                if (folder[8*i +: 8] != 0) file_in = (file_in << 8) | folder[8*i +: 8];
            file_in = (file_in << 8) | "/";
            for (i = 15; i >= 0; i = i - 1)
                if (name[8*i +: 8] != 0) file_in = (file_in << 8) | name[8*i +: 8];
        end
    endfunction

    // ---- the monitor: one look at every clock edge -----------------------------------------------------------------
    reg        running = 1'b0;
    reg [47:0] c = 0, cycles = 0, exp_cycles = 0;
    integer    n_out = 0;

    always @(posedge clk) begin
        c <= c + 1;
        if (csr_we && csr_addr == 8'h80) begin
            c <= 0;
            running <= 1'b1;
        end else if (running) begin
            if (acc_valid) begin
                accs = accs + 1;
                if (trace != 0) $fwrite(trace, "%0d A %0d %h\n", c, acc_addr, acc);
                if (acc_addr >= n_out || acc !== exp_acc[acc_addr]) begin
                    errors = errors + 1;
                    if (printed < max_err) begin
                        printed = printed + 1;
                        $display("MISMATCH %0d A %0d %h expected %h", c, acc_addr, acc, exp_acc[acc_addr]);
                    end
                end
            end
            if (out_valid) begin
                outs = outs + 1;
                if (trace != 0) $fwrite(trace, "%0d O %0d %h\n", c, out_addr, out);
                if (out_addr >= n_out || out !== exp_out[out_addr]) begin
                    errors = errors + 1;
                    if (printed < max_err) begin
                        printed = printed + 1;
                        $display("MISMATCH %0d O %0d %h expected %h", c, out_addr, out, exp_out[out_addr]);
                    end
                end
            end
            if (done) begin
                if (trace != 0) $fwrite(trace, "%0d D 0 0\n", c);
                cycles = c;
                running <= 1'b0;
            end
        end
    end

    // ---- memories of the layer, straight into the SRAMs --------------------------------------------------------------
    integer n_tile, n_in, n_flag, n_weight, t, k, left, even, odd;

    task load;
        begin
            n_tile = cfg[1];
            n_in   = cfg[7] * cfg[8] * cfg[21];
            n_out  = cfg[2] * cfg[3] * cfg[1];
            n_flag = cfg[4] * cfg[5] * cfg[6];                  // positions of one tile
            if (n_in > 0) $readmemh(file_in(dir, "nbin.hex"), dut.u_nbin.u_mem.mem, 0, n_in - 1);
            $readmemh(file_in(dir, "acc.hex"), exp_acc, 0, n_out - 1);
            $readmemh(file_in(dir, "out.hex"), exp_out, 0, n_out - 1);
            $readmemh(file_in(dir, "bias.hex"), dut.u_tile_params.u_bias.mem, 0, n_tile - 1);
            $readmemh(file_in(dir, "mpos.hex"), dut.u_tile_params.u_m_pos.mem, 0, n_tile - 1);
            $readmemh(file_in(dir, "shift.hex"), dut.u_tile_params.u_shift.mem, 0, n_tile - 1);
            if (cfg[0][1]) $readmemh(file_in(dir, "flag.hex"), dut.u_control.flag_mem, 0, n_tile * n_flag - 1);
            if (cfg[0][2]) $readmemh(file_in(dir, "ldlen.hex"), dut.u_control.ldlen_mem, 0, n_tile - 1);
            load_weights;
        end
    endtask

    task load_weights;                                          // even tiles to bank 0, odd ones to bank 1
        begin
            n_weight = n_tile * n_flag;
            if (cfg[0][1])
                for (k = 0; k < n_tile * n_flag; k = k + 1)
                    if (dut.u_control.flag_mem[k]) n_weight = n_weight + 1;
            $readmemh(file_in(dir, "sb.hex"), weights, 0, n_weight - 1);
            even = 0;  odd = 0;  n_weight = 0;
            for (t = 0; t < n_tile; t = t + 1) begin
                left = n_flag;
                if (cfg[0][1])
                    for (k = 0; k < n_flag; k = k + 1)
                        if (dut.u_control.flag_mem[t * n_flag + k]) left = left + 1;
                for (k = 0; k < left; k = k + 1) begin
                    if (t % 2 == 0) begin dut.u_sb.u_bank0.mem[even] = weights[n_weight]; even = even + 1; end
                    else            begin dut.u_sb.u_bank1.mem[odd]  = weights[n_weight]; odd = odd + 1; end
                    n_weight = n_weight + 1;
                end
            end
        end
    endtask

    generate
        if (FOLD != 0) begin : g_folded
            task load_activation;
                $readmemh(file_in(dir, "mneg.hex"), dut.u_tile_params.g_folded.u_m_neg.mem, 0, n_tile - 1);
            endtask
            initial begin : wait_load
                @(posedge ready);
                load_activation;
            end
        end else begin : g_unfolded
            task load_activation;
                begin
                    $readmemh(file_in(dir, "alpha.hex"), dut.u_tile_params.g_unfolded.u_alpha.mem, 0, n_tile - 1);
                    $readmemh(file_in(dir, "m2.hex"), dut.u_tile_params.g_unfolded.u_m2.mem, 0, n_tile - 1);
                    $readmemh(file_in(dir, "shift2.hex"), dut.u_tile_params.g_unfolded.u_shift2.mem, 0, n_tile - 1);
                end
            endtask
            initial begin : wait_load
                @(posedge ready);
                load_activation;
            end
        end
    endgenerate

    // ---- csr.txn: the whole session -----------------------------------------------------------------------------------
    reg ready = 1'b0;
    integer file, got, expect_, mask, addr, data, code;
    reg [63:0] most;
    reg [8*128-1:0] line;
    reg [8*16-1:0] word;

    task write_csr(input [7:0] at, input [31:0] value);
        begin
            @(negedge clk);
            csr_we = 1'b1;  csr_addr = at;  csr_wdata = value;
            @(negedge clk);
            csr_we = 1'b0;
        end
    endtask

    task read_csr(input [7:0] at, input [31:0] bits, input [31:0] value);
        begin
            @(negedge clk);
            csr_addr = at;
            #1;
            if (at == 8'h88) exp_cycles[31:0] = value;
            if (at == 8'h8c) exp_cycles[47:32] = value[15:0];
            if ((csr_rdata & bits) !== (value & bits)) begin
                errors = errors + 1;
                $display("MISMATCH R %h %h expected %h", at, csr_rdata & bits, value & bits);
            end
        end
    endtask

    task wait_done(input [63:0] limit);
        begin
            @(negedge clk);
            while (running && c < limit) @(negedge clk);
            if (running) begin
                errors = errors + 1;
                $display("MISMATCH D not done after %0d cycles", c);
                running = 1'b0;
            end
        end
    endtask

    initial begin
        if (!$value$plusargs("dir=%s", dir)) dir = ".";
        if (!$value$plusargs("max_err=%d", max_err)) max_err = 10;
        if ($value$plusargs("trace=%s", trace_name)) trace = $fopen(trace_name, "w");
        if ($test$plusargs("vcd")) begin $dumpfile("wave.vcd"); $dumpvars(0, tb); end
        file = $fopen(file_in(dir, "csr.txn"), "r");
        if (file == 0) begin
            $display("RESULT cycles=0 exp_cycles=0 outs=0 FAIL");
            $finish;
        end else begin
            @(negedge clk);
            @(negedge clk) rst = 1'b0;
            code = $fscanf(file, "%s", word);
            while (code == 1) begin
                if (word == "W") begin
                    code = $fscanf(file, "%h %h", addr, data);
                    cfg[addr[6:2]] = data;
                    write_csr(addr[7:0], data);
                end else if (word == "R") begin
                    code = $fscanf(file, "%h %h %h", addr, mask, expect_);
                    read_csr(addr[7:0], mask, expect_);
                end else if (word == "START") begin
                    load;
                    ready = 1'b1;
                    write_csr(8'h80, 32'd1);
                end else if (word == "WAITDONE") begin
                    code = $fscanf(file, "%d", most);
                    wait_done(most);
                end
                code = $fgets(line, file);                      // the rest of the line is a comment
                code = $fscanf(file, "%s", word);
            end
            check_memory;
            if (n_out == 0 || outs != n_out || accs != n_out || cycles != exp_cycles) errors = errors + 1;
            if (trace != 0) $fclose(trace);
            $display("RESULT cycles=%0d exp_cycles=%0d outs=%0d %0s", cycles, exp_cycles, outs, (errors == 0) ? "PASS" : "FAIL");
            $finish;
        end
    end

    task check_memory;                                          // what the host would read back
        for (k = 0; k < n_out; k = k + 1)
            if (dut.u_nbout.u_mem.mem[k] !== exp_out[k]) errors = errors + 1;
    endtask
endmodule
